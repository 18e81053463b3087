using System.Text.Json.Nodes;

namespace Ticketing.Demo.Status;

/// <summary>The status of several replicas as one: counts are added up, all else is the first one's.</summary>
internal static class StatusSum
{
    private static readonly string[] Counts = ["requests", "queued", "inFlight"];
    private static readonly string[] Maps = ["comparisons", "skips", "transients"];

    public static JsonObject SumReplicas(IReadOnlyList<JsonObject> replicas)
    {
        if (replicas is [var only]) return only;
        var sum = replicas[0].DeepClone().AsObject();
        foreach (var operation in sum["operations"]!.AsArray())
        {
            var others = replicas.Skip(1).SelectMany(replica => replica["operations"]!.AsArray())
                .Where(other => (string?)other!["operation"] == (string?)operation!["operation"]);
            foreach (var other in others) Add(operation!.AsObject(), other!.AsObject());
        }

        return sum;
    }

    private static void Add(JsonObject to, JsonObject from)
    {
        foreach (var name in Counts) to[name] = (long)to[name]! + (long)from[name]!;
        foreach (var map in Maps)
        {
            if (to[map] is not JsonObject counts || from[map] is not JsonObject more) continue;
            foreach (var (key, count) in more) counts[key] = ((long?)counts[key] ?? 0) + (long)count!;
        }

        var mismatches = to["mismatches"]!.AsArray();
        foreach (var one in from["mismatches"]!.AsArray())
        {
            var known = mismatches.FirstOrDefault(other =>
                (string?)other!["path"] == (string?)one!["path"] && (string?)other["kind"] == (string?)one["kind"]);
            if (known is null) mismatches.Add(one!.DeepClone());
            else known["count"] = (long)known["count"]! + (long)one!["count"]!;
        }
    }
}
