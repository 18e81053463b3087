using Shadowing.Supervision;
using Ticketing.Demo;
using Ticketing.Demo.Database;
using Ticketing.Demo.Faults;
using Ticketing.Demo.Screen;
using Ticketing.Demo.Status;
using Ticketing.Demo.Traffic;

namespace Mutation;

/// <summary>
/// The demo's run from an empty machine to an empty machine, ended as soon as there is evidence against the candidate: what one mutant costs.
/// </summary>
/// <remarks>
/// A process of its own for each mutant. Models, compiled queries and EF's query cache keep what the first mutant made of them.
/// </remarks>
internal sealed class JudgedRun(IReadOnlyList<FaultChoice> faults, TimeProvider clock)
{
    /// <summary>Asks the program for this run rather than for its tests; names of faults to plant may follow, to see the judge find them.</summary>
    public const string Argument = "--judge";

    public const int ExitOfClean = 0;
    public const int ExitOfEvidence = 1;

    /// <summary>Nothing can be said: neither clean nor evidence.</summary>
    public const int ExitOfFailure = 2;

    private const int Tickets = 1500;
    private const double FaultShare = 0.1;
    private static readonly TrafficOptions Traffic = new() { Rate = 150, Requests = 1800 };
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(60);

    /// <summary>The lane waits rather than sheds, and a busy machine is not the candidate's fault: a run is short, and has to see everything.</summary>
    public static IReadOnlyDictionary<string, string> Settings { get; } = new Dictionary<string, string>
    {
        ["Shadowing__YieldAfter"] = "00:00:05",
        ["Shadowing__QueueCapacity"] = "8192",
        ["Shadowing__DatabaseTimeBudget"] = "16",
        ["Shadowing__FloorInterval"] = "00:00:00.020",
        ["Shadowing__ShadowTimeout"] = "00:00:10",
        ["Shadowing__ConfirmationsPerSecond"] = "10000",
        ["Shadowing__DrainTimeout"] = "00:00:00",
    };

    /// <summary>Runs, and writes each piece of evidence on a line.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> ReportAsync(IEnumerable<string> faults, TextWriter output, TextWriter error)
    {
        var registry = new FaultRegistry(TimeProvider.System);
        using var time = new CancellationTokenSource(ShadowTrafficTests.Patience, TimeProvider.System);
        _ = ParentWatch.OrphanedAsync(TimeProvider.System, time.Token).ContinueWith(_ => time.Cancel(), TaskScheduler.Default);
        try
        {
            FaultChoice[] choices = [.. faults.Select(name => new FaultChoice(registry.Find(name) ?? throw new ArgumentException(name), FaultShare))];
            var evidence = await new JudgedRun(choices, TimeProvider.System).RunAsync(error, time.Token);
            foreach (var line in evidence) await output.WriteLineAsync(line);
            return evidence.Count == 0 ? ExitOfClean : ExitOfEvidence;
        }
#pragma warning disable CA1031 // Whatever kept the run from its end, it has no verdict; the test says so.
        catch (Exception failure)
        {
            await error.WriteLineAsync(failure.ToString());
            return ExitOfFailure;
        }
#pragma warning restore CA1031
    }

    private async Task<IReadOnlyList<string>> RunAsync(TextWriter remarks, CancellationToken stop)
    {
        var secrets = DemoSecrets.Draw();
        var planted = new PlantedFaults(faults);
        using var log = new DemoLog();
        await using var postgres = await PrivatePostgres.StartAsync(durable: false, stop);
        var database = await postgres.CreateAsync("ticketing", stop);
        await Seeder.SeedAsync(database, Tickets, stop);
        var population = await Population.ReadAsync(database.Owner, stop);

        await using var service = await DemoService.StartAsync(0, database, secrets, planted, log, stop);
        using var status = new StatusClient([service.Address], secrets.ViewerToken, clock);
        await status.ReadyAsync(stop);
        foreach (var line in OpenForTraffic(service.Switch, StatusClient.View(await status.ReadAsync(stop)))) await remarks.WriteLineAsync(line);

        using var driver = new TrafficDriver([service.Address], population, new(secrets.SigningKey, clock), Traffic, clock);
        planted.Arm();
        var final = await DriveAsync(driver, status, stop);
        if (Evidence.Of(final) is [_, ..] found) return found;
        if (driver.Tally.Unexpected.Count > 0) throw new InvalidOperationException($"Unexpected: {string.Join(", ", driver.Tally.Unexpected.Keys)}");
        return Evidence.Lacking(final) is [_, ..] lacking
            ? throw new InvalidOperationException($"Too little was compared: {string.Join(", ", lacking)}. {string.Join(' ', log.Last)}")
            : [];
    }

    /// <summary>
    /// The check of the model would keep some mutants from all traffic, and a model that cannot even be built is one. That is good, but traffic is
    /// what is being judged.
    /// </summary>
    /// <returns>What it had to say.</returns>
    private static IEnumerable<string> OpenForTraffic(ShadowSwitch shadow, StatusView? status)
    {
        foreach (var finding in status?.Findings ?? []) yield return $"finding: {finding.Object} {finding.Finding}";
        foreach (var reason in shadow.Reasons)
        {
            shadow.Hold(reason, off: false);
            yield return $"lifted: {reason}";
        }
    }

    private async Task<StatusView> DriveAsync(TrafficDriver driver, StatusClient status, CancellationToken stop)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var tick = new PeriodicTimer(Look, clock);
        var driving = driver.RunAsync(enough.Token);
        while (!driving.IsCompleted && await tick.WaitForNextTickAsync(stop))
        {
            if (StatusClient.View(await status.ReadAsync(stop)) is { } now && Evidence.IsAny(now)) await enough.CancelAsync();
        }

        await driving;
        var last = await status.WhenAsync(view => view.IsSettled || Evidence.IsAny(view), Settling, stop);
        return StatusClient.View(last) ?? throw new InvalidOperationException("The service gives no status.");
    }
}
