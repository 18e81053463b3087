using Shadowing.Diagnosing;
using Ticketing.Demo.Faults;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>A line of the divergence catalogue as a candidate that makes just this one mistake; without traces, a difference in form that is none.</summary>
/// <param name="Line">The line's number, with a letter where it has several forms; of a negative control its name there.</param>
/// <param name="Change">From which form to which.</param>
internal sealed record CatalogueFault(string Line, string Name, string Change)
{
    /// <summary>The operation that makes the mistake; the other two are null.</summary>
    public ListRecipe? List { get; init; }

    /// <inheritdoc cref="List"/>
    public GetRecipe? Get { get; init; }

    /// <inheritdoc cref="List"/>
    public StatsRecipe? Stats { get; init; }

    /// <summary>Where it may show. The first is where it must.</summary>
    public IReadOnlyList<FaultTrace> Traces { get; init; } = [];

    /// <summary>The diagnoses that are right, the best one first.</summary>
    public IReadOnlyList<Cause> Causes { get; init; } = [];

    public bool IsCritical { get; init; }

    public string Operation => List is not null ? "tickets.list" : Get is not null ? "tickets.get" : "tickets.stats";

    public bool IsNegativeControl => Traces.Count == 0;

    public override string ToString() => Name;
}

/// <summary>Where faults show, in short.</summary>
internal static class Trace
{
    public static readonly FaultTrace MissingTicket = new("tickets[*]", "missing_row");
    public static readonly FaultTrace ExtraTicket = new("tickets[*]", "extra_row");
    public static readonly FaultTrace TicketOrder = new("tickets", "order");
    public static readonly FaultTrace Total = Value("total");
    public static readonly FaultTrace Failure = new("", "error");

    public static FaultTrace Value(string path) => new(path, "value");

    public static FaultTrace Null(string path) => new(path, "null_vs_value");
}
