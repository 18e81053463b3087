using Shadowing.Comparison;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Experiments;

/// <summary>An operation that both sides implement, with what is needed to compare them.</summary>
public abstract class Experiment
{
    private protected Experiment(string operation) => Operation = PlainText.Clean(operation, PlainText.LongestName);

    /// <summary>The operation's name in metrics, settings and the status: <c>orders.list</c>.</summary>
    public string Operation { get; }

    /// <summary>
    /// Whether the operation changes data. A write is never shadowed but in a sandbox, and what it stored is compared too.
    /// </summary>
    public bool Writes { get; init; }

    /// <summary>The tables that a write may touch, with their columns: what metrics may name of the rows. The default names none.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Stores { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>
    /// What a shape has in common with those that must be answered by the same side: the list, for its pages. The default is the shape
    /// itself.
    /// </summary>
    public Func<string, string> ShapeFamily { get; init; } = static shape => shape;

    /// <summary>What of its requests and answers may be kept with a mismatch. The default is ids and enums.</summary>
    public Disclosure Discloses { get; init; } = Disclosure.IdsAndEnums;

    /// <summary>
    /// The paths that metrics may name, without indexes: those that the answer's type has. Any other difference is counted under
    /// <c>_other</c>, so that series stay bounded whatever differs.
    /// </summary>
    internal abstract IReadOnlySet<string> MetricPaths { get; }

    /// <summary>
    /// Where the declared type of its answers can never be compared: then no comparison would ever be a match, and none is made.
    /// </summary>
    internal abstract IReadOnlyList<NotComparablePath> NotComparable { get; }

    /// <summary>Where answers held values, at run time, that could not be compared.</summary>
    internal abstract IReadOnlyCollection<NotComparablePath> SeenNotComparable { get; }
}

/// <summary>How to run a request on <em>a</em> store; the runner chooses side, position and session.</summary>
/// <param name="operation">See <see cref="Experiment.Operation"/>.</param>
/// <param name="run">
/// Must hand the very same request to the store each time: the candidate is asked again with it when a difference is confirmed.
/// </param>
public sealed class Experiment<TStore, TRequest, TResult>(
    string operation, Func<TStore, TRequest, CancellationToken, Task<TResult>> run) : Experiment(operation)
{
    private ResultComparer<TResult>? _comparer;
    private IReadOnlySet<string>? _paths;
    private IReadOnlyList<NotComparablePath>? _notComparable;

    /// <summary>What counts as equal. The default is exact equality.</summary>
    public ComparisonRules Rules { get; init; } = ComparisonRules.None;

    /// <summary>
    /// The keys of the rows that decide the members that differ; null where they cannot be named, as for a count over many rows.
    /// Tells a row that changed and changed back from a candidate that is wrong under concurrency. The default names none.
    /// </summary>
    public Func<TRequest, IReadOnlyList<Difference>, IReadOnlyCollection<int>?> Touches { get; init; } = static (_, _) => null;

    /// <summary>
    /// Whether the answer shows a part of the rows that decide it, as a page does: one that is not shown may come or go and push another in
    /// or out.
    /// The default is that it shows them all.
    /// </summary>
    public bool ShowsPart { get; init; }

    /// <summary>
    /// Whether a difference shows a caller what is not the caller's to see. Such a mismatch is of severity critical, as is one that stored
    /// other rows.
    /// The default is never.
    /// </summary>
    public Func<TRequest, Difference, bool> Leaks { get; init; } = static (_, _) => false;

    /// <summary>
    /// The class of request that it is, known before it runs: who asks, which optional parts are set, how deep the page is. A closed set of
    /// texts without values, as it is kept, shown and counted by. Roles that see the same share a class. The default knows one class.
    /// </summary>
    public Func<TRequest, string> Shape
    {
        get;
        init => field = request => PlainText.Key(value(request), 200);
    } = static _ => "any";

    /// <summary>
    /// The parameters that make one case differ from another: without those that change with every request and decide nothing, such as a
    /// pinned clock. The default is the whole request.
    /// </summary>
    public Func<TRequest, object?> CaseOf { get; init; } = static request => request;

    /// <summary>Who asks: the same user's requests of an operation are answered by the same side. The default knows one user.</summary>
    public Func<TRequest, long> UserOf { get; init; } = static _ => 0;

    /// <summary>
    /// What a request is about, for the list of what the candidate has answered: the key of a row. The default names none.
    /// </summary>
    public Func<TRequest, long?> SubjectOf { get; init; } = static _ => null;

    /// <summary>
    /// What a write made, for the same list: the key of the new row, which the request could not name. The default names none.
    /// </summary>
    public Func<TResult, long?> CreatedOf { get; init; } = static _ => null;

    internal override IReadOnlySet<string> MetricPaths => _paths ??= Stores.Aggregate(
        MemberPaths.AllPaths(typeof(TResult)).ToHashSet(), static (paths, table) =>
        {
            paths.Add($"{RowComparison.Root}.{table.Key}[*]");
            paths.UnionWith(table.Value.Select(column => $"{RowComparison.Root}.{table.Key}[*].{column}"));
            return paths;
        });

    internal override IReadOnlyList<NotComparablePath> NotComparable =>
        _notComparable ??= MemberPaths.NotComparable(typeof(TResult), Rules);

    internal override IReadOnlyCollection<NotComparablePath> SeenNotComparable => _comparer?.SeenNotComparable ?? [];

    internal Task<TResult> RunAsync(TStore store, TRequest request, CancellationToken cancellationToken) =>
        run(store, request, cancellationToken);

    internal ResultComparer<TResult> ComparerFor(ComparisonLimits limits) => _comparer ??= new(Rules, limits);
}
