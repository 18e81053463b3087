using Microsoft.Extensions.Logging;
using Shadowing.Supervision;

namespace Shadowing.Hosting;

/// <summary>The members of compared interfaces that the control alone answers, each with the reason, as a sentence.</summary>
internal sealed record NotCompared(IReadOnlyList<string> Members);

/// <summary>
/// Says why nothing is compared: once requests have come for ten seconds without one comparison, a warning in the log and a finding say
/// what the requests were skipped for. What the control alone answers is a finding from the start.
/// </summary>
internal sealed partial class TrafficWatch(
    ShadowingReport report, NotCompared notCompared, Findings findings, KeeperRegister keepers, ILogger<TrafficWatch> logger)
    : Keeper(new("traffic", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5)), keepers)
{
    /// <summary>How long requests may come without a comparison.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private long? _since;
    private long _requests;
    private long _compared;
    private bool _hasWarned;

    protected override bool StartsAtOnce => true;

    protected override Task StepAsync(CancellationToken cancellationToken)
    {
        findings.Replace("members", [.. notCompared.Members.Select(member => new Finding(Finding.Warning, "compared interfaces", member))]);
        var operations = report.Operations();
        var (requests, compared) = (operations.Sum(one => one.Requests), operations.Sum(one => one.Comparisons.Values.Sum()));
        if (compared > _compared)
        {
            (_compared, _requests, _since) = (compared, requests, null);
            findings.Replace("traffic");
            return Task.CompletedTask;
        }

        if (requests > _requests) _since ??= Clock.GetTimestamp();
        _requests = requests;
        if (_since is not { } since || Clock.GetElapsedTime(since) < Patience) return Task.CompletedTask;
        var why = Why(operations.SelectMany(one => one.Skips).GroupBy(skip => skip.Key, skip => skip.Value));
        findings.Replace("traffic", new Finding(
            Finding.Warning, "comparisons", $"Requests come, and for {Patience.TotalSeconds:0} seconds none has been compared: {why}."));
        if (!_hasWarned) LogNothing(Patience, why);
        _hasWarned = true;
        return Task.CompletedTask;
    }

    private string Why(IEnumerable<IGrouping<string, long>> skips)
    {
        if (report.OffBecause is { Count: > 0 } reasons) return $"shadowing is off because of {string.Join(", ", reasons)}";
        string[] counted = [.. skips.Where(skip => skip.Sum() > 0).Select(skip => skip.Key)];
        return counted.Length == 0 ? "they wait to be compared" : $"they are skipped as {string.Join(", ", counted)}";
    }

    [LoggerMessage(36, LogLevel.Warning, "Requests come, and for {Time} none has been compared: {Why}.")]
    private partial void LogNothing(TimeSpan time, string why);
}
