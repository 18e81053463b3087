using Xunit.v3;

namespace Testing;

/// <summary>
/// How much a test does. The short form does enough of each claim to show a fault of its class; the long form of <c>tests/run --all</c> does
/// all of it. The one reader of <c>SHADOW_TESTS</c>.
/// </summary>
internal static class Effort
{
    /// <summary>Whether the long form was asked for.</summary>
    public static bool IsAll { get; } = Environment.GetEnvironmentVariable("SHADOW_TESTS") == "all";

    /// <summary>How often a test repeats what it proves by repetition.</summary>
    public static T Of<T>(T usual, T all) => IsAll ? all : usual;

    /// <summary>Each in the long form; in the short one the first and every so many after it, the same in every run.</summary>
    public static IReadOnlyList<T> Some<T>(IReadOnlyList<T> all, int every) =>
        IsAll ? all : [.. all.Where((_, index) => index % every == 0)];
}

/// <summary>
/// A test of the long form alone: it takes half a minute and more, and the short form has another test of the same claim, or of the same
/// mechanism at a smaller size.
/// </summary>
/// <param name="short">Which test that is.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LongFormAttribute(string @short) : Attribute, ITraitAttribute
{
    /// <summary>Which test of the short form covers the claim.</summary>
    public string Short => @short;

    /// <inheritdoc/>
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("form", "long")];
}
