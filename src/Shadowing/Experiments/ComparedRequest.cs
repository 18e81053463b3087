using System.Diagnostics;
using Shadowing.Model;

namespace Shadowing.Experiments;

/// <summary>A request whose two sides are compared, with what is needed to ask them again.</summary>
/// <param name="Ask">Asks a side where the shadow runs: live, or for a write in a sandbox on the same rows.</param>
internal sealed record ComparedRequest<TStore, TRequest, TResult>(
    Experiment<TStore, TRequest, TResult> Experiment, TRequest Request, Func<Side, Task<Observation<TResult>>> Ask,
    CancellationToken Stopping)
{
    /// <summary>The side that answered the user, or that was asked first.</summary>
    public Side Served { get; init; } = Side.Control;

    /// <summary>The name of the request's shape.</summary>
    public required string Shape { get; init; }

    /// <summary>Whether it is one of the requests that stand for the traffic.</summary>
    public bool IsDue { get; init; }

    /// <summary>The moment the request began, by the database's own reckoning; null for a write, and where it is not known.</summary>
    public string? Horizon { get; init; }

    /// <summary>The request's trace; default where it has none.</summary>
    public ActivityContext Caller { get; init; }
}
