namespace Shadowing.Experiments;

/// <summary>
/// What of an operation's requests and answers may be kept as it is. All else is kept as a keyed hash and the shape of the difference.
/// </summary>
/// <param name="Words">
/// Texts that say nothing about anybody wherever they stand, such as the names of states and roles; compared exactly. The default is none.
/// </param>
/// <param name="Parameters">
/// Members of the request, in camelCase with dots, that are kept though they are neither ids nor enums: <c>asOf</c>.
/// </param>
public sealed record Disclosure(IReadOnlySet<string> Words, IReadOnlySet<string> Parameters)
{
    /// <summary>Whole numbers, enums and booleans of the request only.</summary>
    public static Disclosure IdsAndEnums { get; } = new(new HashSet<string>(), new HashSet<string>());
}
