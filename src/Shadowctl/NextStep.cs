using System.Text.Json.Nodes;
using Spectre.Console;

namespace Shadowctl;

/// <summary>The command to type next, so that the reader at night need not look it up.</summary>
internal static class NextStep
{
    /// <summary>After the gate's decision on one operation.</summary>
    public static string? AfterGate(JsonNode gate)
    {
        var operation = (string?)gate["operation"];
        return (string?)gate["decision"] == "advance" ? $"shadowctl rollout advance {operation} --reason \"...\""
            : Tables.Items(gate["reasons"]).Select(reason => ForReason((string?)reason["code"], gate, operation))
                .FirstOrDefault(step => step is not null) ?? $"shadowctl why {operation} --watch";
    }

    /// <summary>After the status: what is broken comes before what is open, and that before what is missing.</summary>
    public static string? AfterStatus(JsonNode status)
    {
        var operations = Tables.Items(status["operations"]).ToArray();
        if (Tables.Items(status["findings"]).Any(finding => (string?)finding["severity"] == "critical")
            || (bool?)status["enabled"] is not true) return "shadowctl doctor";
        if (operations.Any(operation => (long?)operation["comparisons"]?["mismatch"] > 0)) return "shadowctl mismatches";
        return operations.Select(operation => (string?)operation["operation"]).FirstOrDefault() is { } first
            ? $"shadowctl why {first}" : null;
    }

    /// <summary>After a change of the rollout.</summary>
    public static string AfterChange(JsonNode state) => $"shadowctl why {(string?)state["operation"]}";

    /// <summary>Prints it on a line of its own; prints nothing where there is none.</summary>
    public static void Write(IAnsiConsole console, string? step)
    {
        if (step is not null) console.MarkupLineInterpolated($"next: [bold]{step}[/]");
    }

    private static string? ForReason(string? code, JsonNode gate, string? operation) => code switch
    {
        "evidence_unreadable" or "keeper_down" or "evidence_invalid" or "unclean_exit" => "shadowctl doctor",
        "held" => $"shadowctl rollout acknowledge {operation} --reason \"...\"",
        "critical_mismatch" or "served_mismatch" or "open_mismatch" or "acceptance_live" or "doubt" =>
            $"shadowctl mismatches --operation {operation}",
        "not_nominated" => $"shadowctl rollout nominate {operation} {(string?)gate["fingerprint"]} --reason \"...\"",
        "nothing_compared" => (string?)gate["stage"] == "off" ? $"shadowctl rollout advance {operation} --reason \"...\""
            : "shadowctl doctor",
        "shape_unproven" or "shape_unexercised" or "operation_unproven" or "unproven_traffic" =>
            $"shadowctl sweep start {operation} --reason \"...\"",
        "latency_slow" or "latency_unproven" or "statements_unproven" or "excess_failures" => "shadowctl status",
        _ => null,
    };
}
