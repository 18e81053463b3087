using System.Text.Json.Nodes;
using Ticketing.Api.Tests.Database;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>All that users' tables hold, and how far their sequences have come.</summary>
/// <param name="Rows">Whole rows as JSON, by table and key.</param>
internal sealed record TableState(IReadOnlyDictionary<string, string> Rows, IReadOnlyList<string> Sequences)
{
    private static readonly string[] Tables = ["users", "support_tickets", "ticket_comments"];
    private static readonly string[] Clocks = ["created_at", "updated_at", "resolved_at"];

    public static async Task<TableState> ReadAsync(TicketingDatabase database)
    {
        var rows = await Sql.LinesAsync(
            database.Owner, EachTable(table => $"select '{table} ' || id, to_jsonb(t)::text from public.{table} t"));
        var sequences = await Sql.LinesAsync(
            database.Owner, EachTable(table => $"select '{table}', last_value, is_called from public.{table}_id_seq"));
        return new(
            rows.Select(row => row.Split('|', 2)).ToDictionary(row => row[0], row => row[1]), [.. sequences.Order(StringComparer.Ordinal)]);
    }

    /// <summary>
    /// Everything as lines that two runs of one trace have in common. A clock that was set since is told by its place among all such
    /// clocks: it stands for the same write in both runs, or the lines differ. All else is as it is stored.
    /// </summary>
    public IReadOnlyList<string> Since(TableState before)
    {
        var written = Rows.Where(row => before.Rows.GetValueOrDefault(row.Key) != row.Value)
            .Select(row => (row.Key, Now: Columns(row.Value)!, Then: Columns(before.Rows.GetValueOrDefault(row.Key)))).ToArray();
        var set = (from row in written from clock in Clocks where IsSet(row.Now, row.Then, clock) select (row.Now, Clock: clock)).ToArray();
        string[] order = [.. set.Select(one => (string)one.Now[one.Clock]!).Distinct().Order(StringComparer.Ordinal)];
        foreach (var (row, clock) in set) row[clock] = $"write {Array.IndexOf(order, (string)row[clock]!)}";
        var told = written.ToDictionary(row => row.Key, row => row.Now.ToJsonString());
        var lines = Rows.Select(row => $"{row.Key} {told.GetValueOrDefault(row.Key, row.Value)}");
        return [.. lines.Order(StringComparer.Ordinal), .. Sequences];
    }

    private static bool IsSet(JsonObject now, JsonObject? then, string clock) =>
        now[clock] is { } time && (string)time! != (string?)then?[clock];

    private static JsonObject? Columns(string? row) => row is null ? null : JsonNode.Parse(row)!.AsObject();

    private static string EachTable(Func<string, string> query) => string.Join(" union all ", Tables.Select(query));
}
