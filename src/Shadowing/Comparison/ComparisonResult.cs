using Shadowing.Model;

namespace Shadowing.Comparison;

/// <summary>What holding two answers against each other found.</summary>
public sealed record ComparisonResult
{
    /// <summary>Not to be changed. Before <see cref="Equal"/>, which is made of it.</summary>
    internal static readonly Dictionary<string, Exception> NoFailures = [];

    /// <summary>No difference at all.</summary>
    public static ComparisonResult Equal { get; } = new();

    /// <summary>The differences, in the order they were met; bounded by <see cref="ComparisonLimits.Differences"/>.</summary>
    public IReadOnlyList<Difference> Differences { get; init; } = [];

    /// <summary>How many differences there are, the ones beyond the bound included.</summary>
    public int TotalDifferences { get; init; }

    /// <summary>The reasons of the rules that were needed to call something equal; empty where plain equality was enough.</summary>
    public IReadOnlyCollection<string> Tolerated { get; init; } = [];

    /// <summary>
    /// Set where nothing can be said: the answers were not compared to the end, and the differences met before are only counted; or nothing
    /// differs but a value that cannot be compared.
    /// </summary>
    public IncomparableReason? Incomparable { get; init; }

    /// <summary>The places that nothing could be said of, because their values' types do not tell when they are equal.</summary>
    public IReadOnlyList<NotComparablePath> NotComparable { get; init; } = [];

    /// <summary>
    /// Rules that threw, by <c>member part</c>, with what each threw last; empty where none did. Where a rule threw, it allowed nothing.
    /// </summary>
    public IReadOnlyDictionary<string, Exception> FailedRules { get; init; } = NoFailures;

    /// <summary>The exception behind <see cref="IncomparableReason.ComparerFailed"/>.</summary>
    public Exception? Failure { get; init; }

    /// <summary>Equal, if need be with the help of declared rules.</summary>
    public bool IsSame => Incomparable is null && TotalDifferences == 0;
}

/// <summary>How far a comparison goes before it gives up as incomparable, or stops writing differences down.</summary>
/// <param name="Nodes">Objects and rows visited. The default is 200,000.</param>
/// <param name="Depth">Nesting; a cycle ends here. The default is 32.</param>
/// <param name="Differences">Differences kept; the rest are only counted. The default is 100.</param>
public sealed record ComparisonLimits(int Nodes = 200_000, int Depth = 32, int Differences = 100)
{
    /// <summary>The defaults.</summary>
    public static ComparisonLimits Default { get; } = new();
}

/// <summary>Thrown inside a comparison, and only there, when it passes its limits.</summary>
internal sealed class ComparisonTooLargeException : Exception;
