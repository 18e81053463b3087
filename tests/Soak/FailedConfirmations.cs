using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.Experiments;

namespace Soak;

/// <summary>
/// Counts, by the service's own metrics, the differences that were seen and could not be asked again: an overloaded machine has no
/// connection to spare within the time.
/// </summary>
internal sealed class FailedConfirmations : IDisposable
{
    private readonly ConcurrentDictionary<string, long> _failed = [];
    private readonly MeterListener _listener;

    public FailedConfirmations(IServiceProvider services)
    {
        var meter = services.GetRequiredService<OperationMetrics>().Meter;
        _listener = new()
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == meter && instrument.Name == "shadow.confirmations") listener.EnableMeasurementEvents(instrument);
            },
        };
        _listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            string? operation = null, verdict = null;
            foreach (var tag in tags)
            {
                if (tag.Key == "shadow.operation") operation = tag.Value as string;
                if (tag.Key == "shadow.verdict") verdict = tag.Value as string;
            }

            if (verdict == "failed" && operation is not null) _failed.AddOrUpdate(operation, count, (_, known) => known + count);
        });
        _listener.Start();
    }

    /// <summary>How many, by operation, until now.</summary>
    public IReadOnlyDictionary<string, long> Counts => new Dictionary<string, long>(_failed.ToArray());

    public void Dispose() => _listener.Dispose();
}
