using Shadowing.Comparison;
using Shadowing.Model;
using Shadowing.Writing;

namespace Shadowing.Experiments;

/// <summary>An operation that both sides implement, with all that comparing them needs.</summary>
public abstract class Experiment
{
    private protected Experiment(string operation) => Operation = PlainText.Clean(operation, PlainText.LongestName);

    /// <summary>The operation's name in metrics, settings and the status: <c>orders.list</c>.</summary>
    public string Operation { get; }

    /// <summary>
    /// Whether the operation changes data. A write is shadowed only in a sandbox, and the rows that it stored are compared too.
    /// </summary>
    public bool Writes { get; init; }

    /// <summary>The tables that a write may change, with the columns that metrics may name. The default names none.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Stores { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>
    /// The family of a shape: shapes of one family are answered by the same side, such as the pages of one list. The default is the shape
    /// itself.
    /// </summary>
    public Func<string, string> ShapeFamily { get; init; } = static shape => shape;

    /// <summary>What of its requests and answers may be kept with a mismatch. The default is ids and enums.</summary>
    public Disclosure Discloses { get; init; } = Disclosure.IdsAndEnums;

    /// <summary>
    /// Whether the candidate's first run on a replica is repeated before anything is compared: the first query of its kind costs many times
    /// the rest, and nothing else warms it up.
    /// </summary>
    internal bool WarmsUp { get; init; }

    /// <summary>
    /// The paths that metrics may name, without indexes: those of the answer's type. A difference anywhere else is counted under
    /// <c>_other</c>, so that the number of series is bounded.
    /// </summary>
    internal abstract IReadOnlySet<string> MetricPaths { get; }

    /// <summary>
    /// The places where the declared type of its answers can never be compared. With any such place no comparison could be a match, and
    /// none is made.
    /// </summary>
    internal abstract IReadOnlyList<NotComparablePath> NotComparable { get; }

    /// <summary>The type of its requests.</summary>
    internal abstract Type RequestType { get; }

    /// <summary>Calls the visitor with the experiment's types.</summary>
    /// <exception cref="ArgumentException">The experiment is one of another store.</exception>
    internal abstract Task AcceptAsync<T>(IExperimentVisitor<T> visitor);

    /// <summary>The places where answers had values, at run time, that could not be compared.</summary>
    internal abstract IReadOnlyCollection<NotComparablePath> SeenNotComparable { get; }
}

/// <summary>How to run a request on <em>a</em> store; the runner chooses side, position and session.</summary>
/// <param name="operation">See <see cref="Experiment.Operation"/>.</param>
/// <param name="run">
/// Must pass the same request to the store each time: both sides are asked again with it when a difference is confirmed.
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
    /// The keys, as texts, of the rows that decide the members that differ; null where they cannot be named, as for a count over many rows.
    /// With them, a row that changed and changed back can be told from a candidate that is wrong under concurrency. The default names none.
    /// </summary>
    public Func<TRequest, IReadOnlyList<Difference>, IReadOnlyCollection<string>?> Touches { get; init; } = static (_, _) => null;

    /// <summary>
    /// Whether the answer shows only a part of the rows that decide it, as a page does: a row that is not shown may be added or deleted,
    /// and move another one into or out of the page. The default is that the answer shows them all.
    /// </summary>
    public bool ShowsPart { get; init; }

    /// <summary>
    /// Whether a difference shows a caller something that the caller may not see. The severity of such a mismatch is critical, as is that
    /// of one that stored other rows. The default is never.
    /// </summary>
    public Func<TRequest, Difference, bool> Leaks { get; init; } = static (_, _) => false;

    /// <summary>
    /// The class of a request, known before it runs: the caller's role, which optional parts are set, how deep the page is. A closed set of
    /// texts without values, because it is stored, shown and counted by. Roles that see the same share a class. The default is one class.
    /// </summary>
    public Func<TRequest, string> Shape
    {
        get;
        init => field = request => PlainText.Key(value(request), 200);
    } = static _ => "any";

    /// <summary>
    /// The parameters that make one case differ from another, without those that change with every request and do not matter, such as a
    /// pinned clock. The default is the whole request.
    /// </summary>
    public Func<TRequest, object?> CaseOf { get; init; } = static request => request;

    /// <summary>
    /// Whether an answer shows any row. All answers of a shape that show none are one case, because a caller can make any number of them by
    /// asking for what does not exist. The default reads the members: an answer shows none if it is null, has no key, and its lists are
    /// empty, its objects null, or its numbers zero.
    /// </summary>
    public Func<TResult, bool> ShowsRows { get; init; } = static result => AnswerRows.Any(result);

    /// <summary>The user: one user's requests of an operation are answered by the same side. The default is one user for all.</summary>
    public Func<TRequest, long> UserOf { get; init; } = static _ => 0;

    /// <summary>
    /// The key of the row that a request is about, for the served log. The default names none.
    /// </summary>
    public Func<TRequest, long?> SubjectOf { get; init; } = static _ => null;

    /// <summary>
    /// The key of the row that a write added, for the served log: the request could not name it. The default names none.
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

    internal override Type RequestType => typeof(TRequest);

    internal override Task AcceptAsync<T>(IExperimentVisitor<T> visitor) => visitor is IExperimentVisitor<TStore> mine
        ? mine.VisitAsync(this) : throw new ArgumentException($"{Operation} is of another store.", nameof(visitor));

    internal Task<TResult> RunAsync(TStore store, TRequest request, CancellationToken cancellationToken) =>
        run(store, request, cancellationToken);

    internal ResultComparer<TResult> ComparerFor(ComparisonLimits limits) => _comparer ??= new(Rules, limits);
}
