using System.Collections.Concurrent;
using Shadowing.Supervision;

namespace Shadowing.Experiments;

/// <summary>
/// What sides were refused in the shadow position because of where they ran. It is a fault of the setup, or a limit of the sandbox, and
/// never the candidate's: such runs are incomparable, and no breaker counts them.
/// </summary>
internal sealed class ShadowRefusals(Findings findings)
{
    private const int Most = 100;

    private readonly ConcurrentDictionary<(string Operation, string Why), bool> _found = [];

    public void Note(string operation, string why)
    {
        if (_found.Count >= Most || !_found.TryAdd((operation, why), true)) return;
        findings.Replace("shadow refusals", [.. _found.Keys.ToArray()
            .OrderBy(found => found.Operation, StringComparer.Ordinal).ThenBy(found => found.Why, StringComparer.Ordinal)
            .Select(found => new Finding(Finding.Warning, found.Operation, $"Refused in the shadow position. {found.Why}"))]);
    }
}
