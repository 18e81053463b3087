namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>Causes as people say them.</summary>
internal static class Causes
{
    /// <summary><c>n_plus_one</c> is said as <c>N plus one</c>.</summary>
    public static string Words(string cause) =>
        cause.Length == 0 ? "Unknown" : $"{char.ToUpperInvariant(cause[0])}{cause[1..].Replace('_', ' ')}";
}
