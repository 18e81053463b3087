using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ticketing.Demo.Faults;
using Ticketing.Demo.Traffic;

namespace Ticketing.Demo.Status;

/// <summary>The final status, and beside it what the driver and the faults know themselves.</summary>
internal static class RunReport
{
    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="status">The service's own words, kept as they are; null where it gave none.</param>
    public static JsonObject Build(JsonObject? status, TrafficTally traffic, PlantedFaults faults)
    {
        var report = status?.DeepClone().AsObject() ?? [];
        report["driven"] = Counts(traffic.Driven);
        report["planted"] = faults.Total;
        report["plantedByFault"] = Counts(faults.ByFault);
        report["unexpected"] = Counts(traffic.Unexpected);
        return report;
    }

    public static Task WriteAsync(FileInfo file, JsonObject report) =>
        File.WriteAllTextAsync(file.FullName, report.ToJsonString(Indented) + "\n");

    private static JsonObject Counts(IReadOnlyDictionary<string, long> counts) =>
        new(counts.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)JsonValue.Create(entry.Value))));
}
