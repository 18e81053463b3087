using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Shadowing.Model;
using Shadowing.Settings;

namespace Shadowing.Supervision;

/// <summary>A fault or a risk of the setup, for an operator.</summary>
/// <param name="Severity"><c>critical</c> or <c>warning</c>.</param>
/// <param name="Object">What it is about: <c>orders.total</c>, <c>role orders_shadow</c>.</param>
public sealed record Finding(string Severity, string Object, string Text)
{
    /// <summary>What it is about, cleaned for showing.</summary>
    public string Object { get; } = PlainText.Clean(Object, PlainText.LongestName);

    /// <summary>What is wrong, cleaned for showing.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("finding")]
    public string Text { get; } = PlainText.Clean(Text, PlainText.LongestReason);

    /// <summary>Shadowing is off, or the gate holds, until it is fixed.</summary>
    public const string Critical = "critical";
    /// <summary>Something works less well than it could.</summary>
    public const string Warning = "warning";
}

/// <summary>The faults of the setup at present, by the check that found them. Safe for concurrent use.</summary>
public sealed partial class Findings
{
    private readonly Lock _change = new();
    private readonly KeeperRegister _keepers;
    private readonly SettingsInForce _settings;
    private readonly ILogger<Findings> _logger;

    // Replaced as a whole, because sorting a concurrent dictionary throws while another thread adds to it.
    private volatile ImmutableSortedDictionary<string, IReadOnlyList<Finding>> _byCheck =
        ImmutableSortedDictionary.Create<string, IReadOnlyList<Finding>>(StringComparer.Ordinal);

    internal Findings(KeeperRegister keepers, SettingsInForce settings, ILogger<Findings> logger) =>
        (_keepers, _settings, _logger) = (keepers, settings, logger);

    /// <summary>All present findings: those of the checks, the faults of the settings, and the keepers that are down.</summary>
    public IReadOnlyList<Finding> All =>
    [
        .. _byCheck.Values.SelectMany(found => found),
        .. _settings.Faults.Select(fault => new Finding(fault.IsCritical ? Finding.Critical : Finding.Warning, fault.Setting, fault.Text)),
        .. _keepers.StoreLost is { } lost ? [ForStore(lost)] : Array.Empty<Finding>(),
        .. _keepers.Down.Select(ForKeeper),
    ];

    /// <summary>Replaces the findings of a check; each new finding is logged once.</summary>
    public void Replace(string check, params IReadOnlyList<Finding> found)
    {
        IReadOnlyList<Finding> before;
        lock (_change)
        {
            before = _byCheck.GetValueOrDefault(check) ?? [];
            _byCheck = _byCheck.SetItem(check, found);
        }

        foreach (var finding in found.Except(before)) LogFinding(finding.Severity, finding.Object, finding.Text);
        foreach (var finding in before.Except(found)) LogResolved(finding.Object, finding.Text);
    }

    private static Finding ForStore(StoreLost lost) => new(
        Finding.Critical, "evidence store",
        $"It has been away since {lost.Since:yyyy-MM-dd HH:mm:ss}Z ({lost.Why}). The gate says no evidence, the control answers everybody, "
            + "and what is seen meanwhile waits in memory. Bring the database of ConnectionStrings:Evidence back; all goes on by itself.");

    private static Finding ForKeeper(KeeperDown down) => new(
        down.HoldsGate ? Finding.Critical : Finding.Warning, $"keeper {down.Keeper}",
        $"It has been down since {down.Since:yyyy-MM-dd HH:mm:ss}Z ({down.Why}) and is tried again."
            + (down.HoldsGate ? " Nothing advances until it works." : ""));

    [LoggerMessage(40, LogLevel.Warning, "Finding ({Severity}) on {Object}: {Finding}")]
    private partial void LogFinding(string severity, string @object, string finding);

    [LoggerMessage(41, LogLevel.Information, "No longer found on {Object}: {Finding}")]
    private partial void LogResolved(string @object, string finding);
}
