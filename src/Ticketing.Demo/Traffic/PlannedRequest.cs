using System.Collections.Immutable;

namespace Ticketing.Demo.Traffic;

/// <summary>A request to be sent. Each is legal and reaches the store exactly once, even if the store then refuses it.</summary>
/// <param name="Path">Contains <see cref="Created"/> in place of an id where it is about a ticket that the traffic has opened.</param>
/// <param name="Body">JSON; null for none.</param>
/// <param name="Expected">The correct statuses.</param>
internal sealed record PlannedRequest(
    string Operation, Actor By, HttpMethod Method, string Path, string? Body, ImmutableArray<int> Expected)
{
    /// <summary>Stands for the id of the oldest ticket that the traffic has opened and not yet deleted.</summary>
    public const string Created = "{created}";
}
