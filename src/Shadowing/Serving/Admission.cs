using System.Runtime.CompilerServices;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Model;

namespace Shadowing.Serving;

/// <summary>How a request was taken.</summary>
/// <param name="Side">Which side is to answer it.</param>
/// <param name="Fingerprint">What its evidence counts for.</param>
/// <param name="Skipped">Why it is not compared; null where it is.</param>
internal readonly record struct Admission(OperationState Operation, ShapeLedger Shape, Side Side, string Fingerprint, SkipReason? Skipped)
{
    /// <summary>The timestamp at which it came.</summary>
    public long Arrived { get; init; }

    /// <summary>Whether its durations go into histograms; drawn by chance.</summary>
    public bool IsTimed { get; init; }

    /// <summary>
    /// Whether nothing is to be seen of it but that it was counted: the control answers outside of any transaction of ours, and it is
    /// neither compared nor timed, nor does it stand for the traffic.
    /// </summary>
    public bool IsOnlyCounted => Skipped is not null && Side is Side.Control && HandedOver is null && Stay is null && !IsTimed && !IsDue;

    /// <summary>Whether it is one of the requests that stand for the traffic: see <see cref="RequestSample"/>.</summary>
    public bool IsDue { get; init; }

    /// <summary>
    /// Set where it runs in a transaction of ours, as a write that is to be compared does, or that the candidate does: whether it has
    /// been counted yet.
    /// </summary>
    public StrongBox<bool>? HandedOver { get; init; }

    /// <summary>Ends its stay among the writes in transactions of ours; null for what is not one.</summary>
    public IDisposable? Stay { get; init; }

    /// <summary>The moment the request began, by the database's own reckoning; null for a write.</summary>
    public string? Horizon { get; init; }
}

/// <summary>A request on its way to an answer.</summary>
/// <param name="Caller">Cancelled where the caller gives up.</param>
internal readonly record struct ServedRequest<TStore, TRequest, TResult>(
    Experiment<TStore, TRequest, TResult> Experiment, TRequest Request, Admission Admission, CancellationToken Caller)
{
    /// <summary>The request's own services; null where the application opens its stores without them.</summary>
    public IServiceProvider? Scope { get; init; }
}
