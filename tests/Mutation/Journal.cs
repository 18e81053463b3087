using System.Globalization;

namespace Mutation;

/// <summary>How a judged run ended.</summary>
/// <param name="Evidence">Lines; empty where there is none.</param>
/// <param name="Remarks">Lines: findings, reasons to be off that were lifted, and why there is no verdict.</param>
internal sealed record Outcome(int ExitCode, string Evidence, string Remarks, TimeSpan Took);

/// <summary>What killed each mutant, which Stryker's report does not say: a tab-separated line for each, where a file is named.</summary>
internal static class Journal
{
    private const string Variable = "MUTATION_JOURNAL";

    public static async Task AddAsync(int mutant, Outcome outcome)
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } file) return;
        var verdict = outcome.ExitCode switch
        {
            JudgedRun.ExitOfClean => "clean",
            JudgedRun.ExitOfEvidence => "evidence",
            _ => "no verdict",
        };
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{mutant}\t{verdict}\t{outcome.Took.TotalSeconds:F0}\t{OnOneLine(outcome.Evidence)}\t{OnOneLine(outcome.Remarks)}\n");
        await File.AppendAllTextAsync(file, line);
    }

    private static string OnOneLine(string text) => text.Trim().ReplaceLineEndings(" | ").Replace('\t', ' ');
}
