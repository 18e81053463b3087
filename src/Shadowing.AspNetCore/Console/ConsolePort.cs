using Microsoft.AspNetCore.Routing.Matching;

namespace Shadowing.AspNetCore.Console;

/// <summary>Metadata of an endpoint: the only port that answers it.</summary>
internal sealed record ConsolePort(int Number);

/// <summary>
/// Hides endpoints on every port but their own: by the port that the connection came in by, because what a request says of its host is the
/// client's word.
/// </summary>
internal sealed class ConsolePortPolicy : MatcherPolicy, IEndpointSelectorPolicy
{
    public override int Order => 0;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) =>
        endpoints.Any(endpoint => endpoint.Metadata.GetMetadata<ConsolePort>() is not null);

    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        for (var at = 0; at < candidates.Count; at++)
        {
            if (candidates.IsValidCandidate(at) && candidates[at].Endpoint.Metadata.GetMetadata<ConsolePort>() is { } port
                && port.Number != httpContext.Connection.LocalPort)
                candidates.SetValidity(at, false);
        }

        return Task.CompletedTask;
    }
}
