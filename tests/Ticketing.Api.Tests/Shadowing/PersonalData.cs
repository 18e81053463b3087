using System.Text.Json;
using Shadowing.AspNetCore.Endpoints;
using Ticketing.Api.Tests.Database;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>Marks all that people wrote and who they are, and looks for the mark wherever the shadow leaves anything.</summary>
internal static class PersonalData
{
    /// <summary>
    /// The collection of the tests that search. One at a time: what traces the driver is the process's, and a service would export the
    /// statements that mark another's database.
    /// </summary>
    public const string Search = "search for personal data";

    /// <summary>In every name, address and text of the database, and in what is asked for.</summary>
    public const string Mark = "Zyxomma7";

    /// <summary>Marks what is stored.</summary>
    public static async Task MarkAsync(TicketingDatabase database) => Assert.Null(await Sql.StateAsync(
        database.Owner,
        $"""
        update users set first_name = '{Mark}' || id, last_name = '{Mark}' || id, email = '{Mark}' || id || '@mark.test';
        update support_tickets set subject = '{Mark} ' || id, description = '{Mark} ' || id, resolution = '{Mark} ' || id, status = '{Mark}' || id % 3;
        update ticket_comments set comment = '{Mark} ' || id;
        """));

    /// <summary>Every signature with its samples, as an operator sees it.</summary>
    public static async Task<IReadOnlyList<string>> MismatchesAsync(ShadowedService service)
    {
        var list = JsonSerializer.Deserialize<MismatchList>(await service.AskAsync("/shadow/v1/mismatches"), JsonSerializerOptions.Web)!;
        return await Task.WhenAll(list.Mismatches.Select(mismatch => service.AskAsync($"/shadow/v1/mismatches/{mismatch.Signature}")));
    }

    /// <summary>Once everything that was found has been stored and exported, none of it has the mark.</summary>
    public static async Task IsNowhereAsync(ShadowedService service, OtlpCollector collector)
    {
        var mismatches = await service.AskAsync("/shadow/v1/mismatches");
        var found = JsonSerializer.Deserialize<MismatchList>(mismatches, JsonSerializerOptions.Web)!.Mismatches;
        await Until.HoldsAsync(async () =>
            await EvidenceAsync(service.Database) is var stored && found.All(mismatch => stored.Contains(mismatch.Signature, StringComparison.Ordinal)));
        await Until.HoldsAsync(() => Task.FromResult(collector.All("/logs").Length > 0));
        await Until.HoldsAsync(() => Task.FromResult(collector.All("/traces").Contains("candidate_error", StringComparison.Ordinal)));

        Dictionary<string, string> places = new()
        {
            ["mismatches"] = mismatches + string.Concat(await MismatchesAsync(service)),
            ["status"] = await service.AskAsync("/shadow/v1/status") + await service.AskAsync("/shadow/v1/transients"),
            ["metrics and exemplars"] = await service.AskAsync("/metrics", "application/openmetrics-text"),
            ["evidence tables"] = await EvidenceAsync(service.Database),
            ["logs"] = string.Join('\n', service.Logs.GetSnapshot().Select(record => $"{record.Message} {record.Exception} {record.StructuredState?.Count}"
                + string.Join(' ', record.StructuredState ?? []) + string.Join(' ', record.Scopes))),
            ["traces"] = collector.All("/traces"),
            ["exported logs"] = collector.All("/logs"),
            ["exported metrics"] = collector.All("/metrics"),
        };
        Assert.All(places, place => Assert.True(place.Value.Length > 100, place.Key));
        Assert.All(places, place => Assert.True(
            !place.Value.Contains(Mark, StringComparison.OrdinalIgnoreCase), $"{place.Key}: {Around(place.Value)}"));
    }

    /// <summary>Every row of every table of the schema, as text.</summary>
    private static async Task<string> EvidenceAsync(TicketingDatabase database)
    {
        var tables = await Sql.LinesAsync(database.Evidence, "select tablename from pg_tables where schemaname = 'shadow'");
        var all = string.Join(" union all ", tables.Select(table => $"select row_to_json(t)::text from shadow.{table} t"));
        return string.Join(' ', await Sql.LinesAsync(database.Evidence, all));
    }

    private static string Around(string text) =>
        text.IndexOf(Mark, StringComparison.OrdinalIgnoreCase) is >= 0 and var at ? text[Math.Max(0, at - 200)..Math.Min(text.Length, at + 100)] : "";
}
