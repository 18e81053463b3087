using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Shadowctl;

/// <summary>The service's answers as people read them. What an answer lacks is left blank.</summary>
internal static class Tables
{
    private static readonly string[] Columns =
        ["operation", "stage", "served", "requests", "compared", "match", "tolerated", "mismatch", "transient", "errors", "incomparable",
            "skipped", "alive"];

    public static void Status(IAnsiConsole console, JsonNode status)
    {
        var off = string.Join(", ", Items(status["offBecause"]).Select(reason => (string?)reason));
        console.MarkupInterpolated(
            $"as of {Text(status["asOf"])}  ·  replica {Text(status["replica"])}  ·  build {Text(status["build"])}  ·  shadowing ");
        console.MarkupLineInterpolated($"{((bool?)status["enabled"] is true ? "on" : "off: " + off)}");
        foreach (var finding in Items(status["findings"]))
            console.MarkupLineInterpolated($"[red]{Text(finding["severity"])}[/] {Text(finding["object"])}: {Text(finding["finding"])}");
        var table = Plain(Columns);
        foreach (var operation in Items(status["operations"]))
        {
            var outcomes = operation["comparisons"];
            table.AddRow(Cells(
                Text(operation["operation"]), Text(operation["stage"]), Text(operation["effectiveServePercent"]) + " %",
                Text(operation["requests"]), Sum(outcomes),
                Text(outcomes?["match"]), Text(outcomes?["tolerated"]), Text(outcomes?["mismatch"]), Text(outcomes?["transient"]),
                Number((long?)outcomes?["candidate_error"] + (long?)outcomes?["candidate_timeout"]), Text(outcomes?["incomparable"]),
                Sum(operation["skips"]),
                (bool?)operation["selfTest"]?["isAlive"] switch { true => "yes", false => "NO", _ => "" }));
        }

        console.Write(table);
        NextStep.Write(console, NextStep.AfterStatus(status));
    }

    public static void Gate(IAnsiConsole console, JsonNode gate)
    {
        console.MarkupInterpolated(
            $"[bold]{Text(gate["decision"])}[/]  {Text(gate["operation"])}  {Text(gate["stage"])} → {Text(gate["target"])}  ·  policy ");
        console.MarkupLineInterpolated($"{Text(gate["policy"])} v{Text(gate["policyVersion"])}");
        console.MarkupLineInterpolated($"build {Text(gate["fingerprint"])}  ·  as of {Text(gate["asOf"])}");
        console.MarkupLineInterpolated($"{Text(gate["sentence"])}");
        foreach (var reason in Items(gate["reasons"])) console.MarkupLineInterpolated(
            $"  {Text(reason["code"]),-20} {Text(reason["text"])}");
        NextStep.Write(console, NextStep.AfterGate(gate));
    }

    public static void Mismatches(IAnsiConsole console, JsonNode list)
    {
        var table = Plain("signature", "operation", "what", "count", "accepted", "last seen", "cause", "where");
        foreach (var one in Items(list["mismatches"]))
        {
            var where = string.Join(", ", Items(one["differences"])
                .Select(difference => $"{Text(difference["path"])} {Text(difference["kind"])}".Trim()).Take(3));
            table.AddRow(Cells(
                Text(one["signature"]), Text(one["operation"]), Text(one["severity"]) == "critical" ? "CRITICAL" : Text(one["outcome"]),
                Text(one["count"]),
                Text(one["accepted"]), Text(one["lastSeen"]), Text(one["diagnosis"]?["cause"]), where));
        }

        console.MarkupLineInterpolated($"{Items(list["mismatches"]).Count()} signatures, scope {Text(list["scope"])}");
        console.Write(table);
    }

    public static void Mismatch(IAnsiConsole console, JsonNode detail)
    {
        var one = detail["mismatch"]!;
        console.MarkupInterpolated(
            $"[bold]{Text(one["signature"])}[/]  {Text(one["operation"])}  {Text(one["outcome"])}  {Text(one["severity"])}  ·  ");
        console.MarkupLineInterpolated($"{Text(one["count"])} times, first {Text(one["firstSeen"])}, last {Text(one["lastSeen"])}");
        foreach (var difference in Items(one["differences"])) console.MarkupLineInterpolated(
            $"  {Text(difference["path"])} {Text(difference["kind"])}");
        console.MarkupLineInterpolated($"cause    {Text(one["diagnosis"]?["cause"])}: {Text(one["diagnosis"]?["evidence"])}");
        console.MarkupLineInterpolated($"look at  {Text(one["diagnosis"]?["lookAt"])}");
        if (detail["acceptance"] is { } acceptance)
        {
            console.MarkupInterpolated($"accepted by {Text(acceptance["acceptedBy"])} for {Text(acceptance["owner"])} ");
            console.MarkupLineInterpolated($"until {Text(acceptance["expiresAt"])}: {Text(acceptance["reason"])}");
        }

        if (detail["triage"] is { } triage)
        {
            console.MarkupInterpolated($"triaged by {Text(triage["triagedBy"])} for {Text(triage["owner"])} ");
            console.MarkupLineInterpolated($"until {Text(triage["expiresAt"])}: {Text(triage["reason"])}");
        }

        foreach (var cause in Items(detail["newCauses"]))
            console.MarkupLineInterpolated($"open     {Text(cause)} is new: it was accepted for what was seen then");
        if (detail["grownShare"] is { } share)
        {
            console.MarkupInterpolated($"open     seen in {Text(share["seenSince"])} of {Text(share["comparedSince"])} since it was ");
            console.MarkupLineInterpolated($"accepted, and in {Text(share["seenBefore"])} of {Text(share["comparedBefore"])} before");
        }

        if (Items(one["samples"]).LastOrDefault() is not { } sample) return;
        var parameters = string.Join(' ', Items(sample["parameters"])
            .Select(entry => $"{Text(entry["name"])}={Text(entry["value"]?["text"] ?? entry["value"]?["hash"])}"));
        console.MarkupInterpolated(
            $"latest   {Text(sample["shape"])}  ·  {parameters}  ·  trace {Text(sample["traceId"])} of request ");
        console.MarkupLineInterpolated($"{Text(sample["requestTraceId"])}");
        foreach (var sql in Items(sample["controlSql"])) console.MarkupLineInterpolated($"control  {Text(sql)}");
        foreach (var sql in Items(sample["candidateSql"])) console.MarkupLineInterpolated($"candid.  {Text(sql)}");
    }

    public static void Rollout(IAnsiConsole console, IEnumerable<JsonNode> operations)
    {
        var table = Plain("operation", "stage", "serves", "generation", "nominated", "attempt", "by", "remarks");
        foreach (var one in operations)
        {
            string[] remarks =
            [
                (string?)one["heldBecause"] is { } held ? $"HELD: {held}" : "", (bool?)one["forced"] is true ? "FORCED" : "",
                (bool?)one["automatic"] is true ? "automatic" : "", Text(one["servesNoneBecause"]), Text(one["reason"]),
            ];
            table.AddRow(Cells(
                Text(one["operation"]), Text(one["stage"]), Text(one["effectiveServePercent"]) + " %", Text(one["generation"]),
                (string?)one["nominated"] is { } nominated && nominated == (string?)one["fingerprint"] ? nominated + " (this)"
                    : Text(one["nominated"]),
                Text(one["attempt"]), Text(one["changedBy"]), string.Join("; ", remarks.Where(remark => remark.Length > 0).Distinct())));
        }

        console.Write(table);
    }

    public static void Rollback(IAnsiConsole console, JsonNode answer)
    {
        var rest = (bool?)answer["published"] is true
            ? "" : "; the store could not be told, other replicas stop when their lease ends, within 3 s";
        string[] operations = [.. Items(answer["operations"]).Select(Text)];
        console.MarkupLineInterpolated(
            $"{(operations.Length == 0 ? "the candidate serves no user: nothing to roll back" : "rolled "
                + "back: " + string.Join(", ", operations))}{rest}");
        var table = Plain("replica", "state", "in flight", "seen");
        foreach (var one in Items(answer["replicas"])) table.AddRow(
            Cells(Text(one["replica"]), Text(one["state"]), Text(one["inFlight"]), Text(one["seenSecondsAgo"]) + " s ago"));
        console.Write(table);
        InFlight(console, Items(answer["replicas"]));
    }

    private static void InFlight(IAnsiConsole console, IEnumerable<JsonNode> replicas)
    {
        var table = Plain("write in flight on", "operation", "shape", "row", "since");
        foreach (var replica in replicas)
        {
            foreach (var write in Items(replica["writesInFlight"]))
                table.AddRow(Cells(Text(replica["replica"]), Text(write["operation"]), Text(write["shape"]), Text(write["subject"]),
                    Text(write["since"])));
        }

        if (table.Rows.Count > 0) console.Write(table);
    }

    public static void Served(IAnsiConsole console, JsonNode answer)
    {
        var table = Plain("at", "operation", "shape", "subject", "user", "fingerprint", "verdict");
        foreach (var one in Items(answer))
        {
            table.AddRow(Cells(
                Text(one["at"]), Text(one["operation"]), Text(one["shape"]), Text(one["subject"]), Text(one["user"]),
                Text(one["fingerprint"]), Text(one["verdict"])));
        }

        console.Write(table);
    }

    public static void Sweeps(IAnsiConsole console, IEnumerable<JsonNode> sweeps)
    {
        var table = Plain("id", "operation", "state", "walked", "replica", "shape", "compared", "mismatches");
        foreach (var one in sweeps)
        {
            string[] own =
            [
                Text(one["id"]), Text(one["operation"]), Text(one["state"]),
                Number((long?)one["walked"]) + ((long?)one["total"] is { } total ? " of " + Number(total) : ""), Text(one["replica"]),
            ];
            var shapes = Items(one["shapes"]).Select(shape => new[]
            {
                Text(shape["shape"]), $"{Number((long?)shape["swept"])} of {Number((long?)shape["existing"])}",
                Number((long?)shape["mismatches"]),
            }).DefaultIfEmpty(["", "", ""]);
            foreach (var (shape, i) in shapes.Select((shape, i) => (shape, i)))
                table.AddRow(Cells([.. i == 0 ? own : ["", "", "", "", ""], .. shape]));
        }

        console.Write(table);
    }

    private static Table Plain(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Minimal, Expand = false };
        foreach (var column in columns) table.AddColumn(new TableColumn(column));
        return table;
    }

    // What the service says is text and never markup.
    private static Text[] Cells(params string[] texts) => [.. texts.Select(text => new Text(text))];

    public static IEnumerable<JsonNode> Items(JsonNode? list) => (list as JsonArray)?.OfType<JsonNode>() ?? [];

    private static string Text(JsonNode? value) => value is JsonValue plain ? plain.ToString() : "";

    private static string Sum(JsonNode? counts) => Number((counts as JsonObject)?.Sum(count => (long?)count.Value));

    private static string Number(long? number) => number?.ToString("N0", CultureInfo.InvariantCulture) ?? "";
}
