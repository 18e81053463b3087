using System.Diagnostics;

namespace Mutation;

/// <summary>The only test that a mutant meets.</summary>
public sealed class ShadowTrafficTests
{
    private const int Attempts = 3;

    /// <summary>Longer than any run takes; a run that takes longer has no verdict.</summary>
    internal static TimeSpan Patience { get; } = TimeSpan.FromSeconds(150);

    [Fact]
    public async Task Shadow_traffic_shows_nothing_against_the_candidate()
    {
        using var mutant = ActiveMutant.Pin();
        Outcome outcome;
        var attempt = 0;
        do
        {
            outcome = await RunAsync(mutant, TestContext.Current.CancellationToken);
        }
        while (outcome.ExitCode is not (JudgedRun.ExitOfClean or JudgedRun.ExitOfEvidence) && ++attempt < Attempts);

        await Journal.AddAsync(mutant.Id, outcome);
        Assert.True(outcome.ExitCode == JudgedRun.ExitOfClean, outcome.Evidence + outcome.Remarks);
    }

    // From this very folder: the assemblies that are mutated lie here.
    private static async Task<Outcome> RunAsync(ActiveMutant mutant, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(JudgedRun).Assembly.Location, JudgedRun.Argument])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in JudgedRun.Settings) start.Environment[name] = value;
        mutant.HandTo(start.Environment);
        var began = TimeProvider.System.GetTimestamp();
        using var child = Process.Start(start)!;
        try
        {
            var (output, errors) = (child.StandardOutput.ReadToEndAsync(cancellationToken), child.StandardError.ReadToEndAsync(cancellationToken));
            await child.WaitForExitAsync(cancellationToken);
            return new(child.ExitCode, await output, await errors, TimeProvider.System.GetElapsedTime(began));
        }
        finally
        {
            if (!child.HasExited) child.Kill(entireProcessTree: true);
        }
    }
}
