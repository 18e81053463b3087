using System.Text.Json;
using System.Text.Json.Nodes;
using Shadowing.Postgres.Statements;
using Ticketing.Demo.Faults;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>
/// What two runs in the sandbox leave differently, found without the product: answers and rows as JSON, in which a time that is its own
/// transaction's reads as that.
/// </summary>
internal static class WriteDifferences
{
    private static readonly JsonSerializerOptions Camel = new(JsonSerializerDefaults.Web);

    public static IReadOnlySet<FaultTrace> Between(WriteRun control, WriteRun candidate)
    {
        var found = new HashSet<FaultTrace>();
        if (control.Error is not null || candidate.Error is not null)
        {
            if (Category(control) != Category(candidate)) found.Add(Trace.Failure);
        }
        else
        {
            Members(Node(control), Node(candidate), "", found);
        }

        // Where only the candidate failed its rows are as they were: that it failed says it all.
        if (candidate.Error is not null) return found;
        foreach (var row in control.Rows.Keys.Union(candidate.Rows.Keys))
        {
            var path = $"rows.{row.Table}[*]";
            var (one, other) = (control.Rows.GetValueOrDefault(row), candidate.Rows.GetValueOrDefault(row));
            if (one is null) found.Add(new(path, "extra_row"));
            else if (other is null) found.Add(new(path, "missing_row"));
            else Members(Clocked(one, control), Clocked(other, candidate), path, found);
        }

        return found;
    }

    private static string Category(WriteRun run) => run.Error is null ? "" : PostgresErrors.Categorize(run.Error).ToString();

    private static JsonNode Node(WriteRun run) => Clocked(JsonSerializer.Serialize(run.Answer, Camel), run);

    private static JsonNode Clocked(string json, WriteRun run) =>
        JsonNode.Parse(run.Now.Length == 0 ? json : json.Replace($"\"{run.Now}\"", "\"now\"", StringComparison.Ordinal))!;

    private static void Members(JsonNode? one, JsonNode? other, string path, HashSet<FaultTrace> found)
    {
        if (one is JsonObject left && other is JsonObject right)
        {
            foreach (var name in left.Select(member => member.Key).Union(right.Select(member => member.Key)))
                Members(left[name], right[name], path.Length == 0 ? name : $"{path}.{name}", found);
        }
        else if (!JsonNode.DeepEquals(one, other))
        {
            found.Add(new(path, one is null || other is null ? "null_vs_value" : "value"));
        }
    }
}
