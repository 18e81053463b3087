using System.Collections.Concurrent;
using Shadowing;

namespace Ticketing.Api.Shadowing;

/// <summary>Something an operator should know about the setup.</summary>
/// <param name="Severity"><c>critical</c> or <c>warning</c>.</param>
/// <param name="Object">What it is about: <c>support_tickets.category</c>, <c>role ticketing_shadow</c>.</param>
internal sealed record Finding(string Severity, string Object, string Text)
{
    /// <summary>What it is about, as it can be shown.</summary>
    public string Object { get; } = PlainText.Clean(Object, PlainText.LongestName);

    /// <summary>What is wrong, as it can be shown.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("finding")]
    public string Text { get; } = PlainText.Clean(Text, PlainText.LongestReason);

    public const string Critical = "critical";
    public const string Warning = "warning";
}

/// <summary>What is wrong with the setup at present, by the check that says so.</summary>
internal sealed partial class Findings(ILogger<Findings> logger)
{
    private readonly ConcurrentDictionary<string, IReadOnlyList<Finding>> _byCheck = [];

    public IReadOnlyList<Finding> All => [.. _byCheck.OrderBy(check => check.Key).SelectMany(check => check.Value)];

    /// <summary>Replaces what a check found; what is new is logged, once.</summary>
    public void Replace(string check, params IReadOnlyList<Finding> found)
    {
        var before = _byCheck.GetValueOrDefault(check) ?? [];
        _byCheck[check] = found;
        foreach (var finding in found.Except(before)) LogFinding(finding.Severity, finding.Object, finding.Text);
        foreach (var finding in before.Except(found)) LogResolved(finding.Object, finding.Text);
    }

    [LoggerMessage(40, LogLevel.Warning, "Finding ({Severity}) on {Object}: {Finding}")]
    private partial void LogFinding(string severity, string @object, string finding);

    [LoggerMessage(41, LogLevel.Information, "No longer found on {Object}: {Finding}")]
    private partial void LogResolved(string @object, string finding);
}
