using Shadowing.Comparison;
using Shadowing.Experiments;

namespace Shadowing.Intercepting;

/// <summary>What an application says of one method of a compared interface; what it leaves out follows the conventions.</summary>
public abstract class OperationRules
{
    private protected OperationRules()
    {
    }

    /// <summary>
    /// The operation's name; the default is of the interface and the method, as <c>orders.get</c> of <c>IOrders.GetAsync</c>.
    /// </summary>
    public string? Name { get; set; }

    /// <summary>Whether the control alone answers, and nothing is compared.</summary>
    public bool IsLeftOut { get; set; }

    /// <summary>
    /// Whether the method changes data. Null, the default, tells by the first word of its name, as <c>Create</c>; only where the
    /// application compares writes.
    /// </summary>
    public bool? Writes { get; set; }

    /// <summary>See <see cref="Experiment.Discloses"/>.</summary>
    public Disclosure Discloses { get; set; } = Disclosure.IdsAndEnums;

    /// <summary>See <see cref="Experiment.ShapeFamily"/>.</summary>
    public Func<string, string> ShapeFamily { get; set; } = static shape => shape;

    internal sealed class LeftOut : OperationRules;
}

/// <inheritdoc/>
/// <typeparam name="TRequest">
/// The method's parameter, where it is one object of the application's; else a class with a property for each.
/// </typeparam>
/// <typeparam name="TResult">What the method's task gives.</typeparam>
public sealed class OperationRules<TRequest, TResult> : OperationRules
{
    private readonly Func<TRequest, long?> _subject = Conventions.SubjectOf<TRequest>();

    /// <summary>
    /// See <see cref="Experiment{TStore,TRequest,TResult}.Rules"/>. The default finds the rows of a list by their <c>Id</c>, or
    /// <c>OrderId</c> of an <c>Order</c>, or <c>Key</c>, and by position where they have none.
    /// </summary>
    public ComparisonRules Rules { get; set; } = ComparisonRules.KeyedRows();

    /// <summary>
    /// See <see cref="Experiment{TStore,TRequest,TResult}.Shape"/>. The default names the optional members that are set, the enums and the
    /// booleans of the request, and how deep a page is; never a text.
    /// </summary>
    public Func<TRequest, string> Shape { get; set; } = Conventions.ShapeOf<TRequest>();

    /// <summary>See <see cref="Experiment{TStore,TRequest,TResult}.CaseOf"/>. The default is the whole request.</summary>
    public Func<TRequest, object?> CaseOf { get; set; } = static request => request;

    /// <summary>
    /// See <see cref="Experiment{TStore,TRequest,TResult}.UserOf"/>. The default is the member <c>UserId</c>, <c>CallerId</c>,
    /// <c>CustomerId</c>, <c>AccountId</c> or <c>TenantId</c> of the request, or of an object in it; else one user for all.
    /// </summary>
    public Func<TRequest, long> UserOf { get; set; } = Conventions.UserOf<TRequest>();

    /// <summary>See <see cref="Experiment{TStore,TRequest,TResult}.Leaks"/>.</summary>
    public Func<TRequest, Difference, bool> Leaks { get; set; } = static (_, _) => false;

    /// <summary>
    /// See <see cref="Experiment{TStore,TRequest,TResult}.Touches"/>. The default names the rows that differ, and of what is in no row the
    /// row that the request's <c>Id</c> names.
    /// </summary>
    public Func<TRequest, IReadOnlyList<Difference>, IReadOnlyCollection<string>?> Touches { get; set; } = Conventions.Touches<TRequest>();

    /// <summary>
    /// See <see cref="Experiment{TStore,TRequest,TResult}.ShowsPart"/>. The default is true where the request names a page.
    /// </summary>
    public bool ShowsPart { get; set; } = Conventions.NamesPage(typeof(TRequest));

    /// <summary>The same for calls that carry the request.</summary>
    internal Experiment<SideScope, QueryCall<TRequest, TResult>, TResult> ToQuery(string operation, WrittenBy? written = null) =>
        new(operation, static (scope, call, token) => call.RunAsync(scope, token))
        {
            Writes = written is not null,
            Stores = written?.Stores ?? WrittenBy.Nothing,
            WarmsUp = true,
            Discloses = Discloses,
            ShapeFamily = ShapeFamily,
            Rules = Rules,
            Shape = call => Shape(call.Request),
            CaseOf = call => CaseOf(call.Request),
            UserOf = call => UserOf(call.Request),
            SubjectOf = call => _subject(call.Request),
            Leaks = (call, difference) => Leaks(call.Request, difference),
            Touches = (call, differences) => Touches(call.Request, differences),
            ShowsPart = ShowsPart,
        };

    internal Experiment<SideScope, TRequest, TResult> ToExperiment(
        string operation, Func<SideScope, TRequest, CancellationToken, Task<TResult>> run, WrittenBy? written) => new(operation, run)
        {
            Writes = written is not null,
            Stores = written?.Stores ?? WrittenBy.Nothing,
            WarmsUp = true,
            Discloses = Discloses,
            ShapeFamily = ShapeFamily,
            Rules = Rules,
            Shape = Shape,
            CaseOf = CaseOf,
            UserOf = UserOf,
            SubjectOf = _subject,
            Leaks = Leaks,
            Touches = Touches,
            ShowsPart = ShowsPart,
        };
}

/// <summary>The tables that a write may change.</summary>
internal sealed record WrittenBy(IReadOnlyCollection<string> Tables)
{
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Nothing { get; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>By table; of their columns none is known before the catalogue is read.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Stores =>
        Tables.Distinct().ToDictionary(table => table, static IReadOnlyList<string> (_) => []);
}
