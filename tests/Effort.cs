namespace Testing;

/// <summary>
/// How often a test repeats what it proves by repetition. The short form covers every claim, the long form of <c>tests/run --all</c> more
/// often. The one reader of <c>SHADOW_TESTS</c>.
/// </summary>
internal static class Effort
{
    /// <summary>Whether the long form was asked for.</summary>
    public static bool IsAll { get; } = Environment.GetEnvironmentVariable("SHADOW_TESTS") == "all";

    public static T Of<T>(T usual, T all) => IsAll ? all : usual;
}
