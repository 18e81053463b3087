using System.Collections.Concurrent;
using Shadowing.Hosting;

namespace Ticketing.Api.Shadowing;

/// <summary>Something an operator should know about the setup.</summary>
/// <param name="Severity"><c>critical</c> or <c>warning</c>.</param>
/// <param name="Object">What it is about: <c>support_tickets.category</c>, <c>role ticketing_shadow</c>.</param>
internal sealed record Finding(string Severity, string Object, [property: System.Text.Json.Serialization.JsonPropertyName("finding")] string Text)
{
    public const string Critical = "critical";
    public const string Warning = "warning";
}

/// <summary>What is wrong with the setup at present, by the check that says so.</summary>
internal sealed partial class Findings(Keepers keepers, SettingsInForce settings, ILogger<Findings> logger)
{
    private readonly ConcurrentDictionary<string, IReadOnlyList<Finding>> _byCheck = [];

    /// <summary>Those of the checks, the settings' and those of keepers that are down.</summary>
    public IReadOnlyList<Finding> All =>
    [
        .. _byCheck.OrderBy(check => check.Key).SelectMany(check => check.Value),
        .. settings.Faults.Select(fault => new Finding(fault.IsCritical ? Finding.Critical : Finding.Warning, fault.Setting, fault.Text)),
        .. keepers.Down.Select(Of),
    ];

    /// <summary>Replaces what a check found; what is new is logged, once.</summary>
    public void Replace(string check, params IReadOnlyList<Finding> found)
    {
        var before = _byCheck.GetValueOrDefault(check) ?? [];
        _byCheck[check] = found;
        foreach (var finding in found.Except(before)) LogFinding(finding.Severity, finding.Object, finding.Text);
        foreach (var finding in before.Except(found)) LogResolved(finding.Object, finding.Text);
    }

    private static Finding Of(KeeperDown down) => new(
        down.HoldsGate ? Finding.Critical : Finding.Warning, $"keeper {down.Keeper}",
        $"It has been down since {down.Since:yyyy-MM-dd HH:mm:ss}Z ({down.Why}) and is tried again."
            + (down.HoldsGate ? " Nothing advances until it works." : ""));

    [LoggerMessage(40, LogLevel.Warning, "Finding ({Severity}) on {Object}: {Finding}")]
    private partial void LogFinding(string severity, string @object, string finding);

    [LoggerMessage(41, LogLevel.Information, "No longer found on {Object}: {Finding}")]
    private partial void LogResolved(string @object, string finding);
}
