using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Spectre.Console;
using Ticketing.Demo.Database;
using Ticketing.Demo.Faults;
using Ticketing.Demo.Screen;
using Ticketing.Demo.Status;
using Ticketing.Demo.Traffic;

namespace Ticketing.Demo;

/// <summary>One run from an empty machine to an empty machine.</summary>
internal sealed class DemoRun(DemoOptions options, IAnsiConsole screen, TimeProvider clock)
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(20);

    /// <summary>Runs until the time is up or <paramref name="stop"/> says so; both are a success.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        if (Enumerable.Range(0, options.Replicas).Select(PortOf).FirstOrDefault(port => !IsFree(port), -1) is >= 0 and var taken)
        {
            await Console.Error.WriteLineAsync(
                $"Port {taken} of 127.0.0.1 is in use; give another with --port, or --port 0 for any that is free.");
            return 1;
        }

        try
        {
            await RunOnOwnDatabaseAsync(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped while starting: there is nothing to report.
        }

        return 0;
    }

    private async Task RunOnOwnDatabaseAsync(CancellationToken stop)
    {
        var secrets = DemoSecrets.Draw();
        var faults = new PlantedFaults(options.Faults);
        using var log = new DemoLog();
        var started = clock.GetTimestamp();

        Say("booting a private PostgreSQL");
        await using var postgres = await PrivatePostgres.StartAsync(durable: false, stop);
        var database = await postgres.CreateAsync("ticketing", stop);
        Say($"seeding {options.Tickets:N0} tickets");
        await Seeder.SeedAsync(database, options.Tickets, stop);
        var population = await Population.ReadAsync(database.Owner, stop);
        Say("starting the service");
        await using var replicas = new AsyncDisposables();
        var addresses = new List<Uri>();
        Func<Uri>? link = null;
        for (var number = 0; number < options.Replicas; number++)
        {
            var service = await DemoService.StartAsync(
                PortOf(number), database, secrets, faults, log, stop,
                new("Shadowing:Replica", $"replica {number + 1}"), new("Shadowing:Gate:Policy", options.Policy),
                new("Shadowing:FirstStage", options.FirstStage));
            replicas.Add(service);
            addresses.Add(service.Address);
            link ??= service.ConsoleLink;
        }

        using var status = new StatusClient(addresses, secrets.ViewerToken, clock);
        await status.ReadyAsync(stop);
        await status.WhenAsync(view => view.Enabled, WarmUp, stop);
        var tokens = new AccessTokens(secrets.SigningKey, clock);
        if (options.Access is { } access) await AccessFile.WriteAsync(
            access, addresses, population, tokens, secrets, new(database.Served, link!()));
        Say($"ready at {string.Join(", ", addresses.Select(address => address.GetLeftPart(UriPartial.Authority)))} after "
            + $"{clock.GetElapsedTime(started).TotalSeconds:F1} s");
        Say("the console; this link signs you in, once:");
        // As it is: a line that is folded could not be clicked.
        await screen.Profile.Out.Writer.WriteLineAsync($"      {link!()}");

        using var driver = new TrafficDriver(addresses, population, tokens, new() { Rate = options.Rate }, clock);
        await DriveAsync(driver, status, faults, log, stop);
    }

    private async Task DriveAsync(TrafficDriver driver, StatusClient status, PlantedFaults faults, DemoLog log, CancellationToken stop)
    {
        using var time = new CancellationTokenSource(options.For ?? Timeout.InfiniteTimeSpan, clock);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop, time.Token);
        using var shown = new CancellationTokenSource();
        var dashboard = new Dashboard(screen, status, driver.Tally, faults, log, clock);

        using var later = options.FaultAfter == TimeSpan.Zero ? null
            : clock.CreateTimer(_ => faults.Arm(), null, options.FaultAfter, Timeout.InfiniteTimeSpan);
        if (later is null) faults.Arm();
        var showing = dashboard.ShowAsync(shown.Token);
        JsonObject? final;
        try
        {
            await driver.RunAsync(enough.Token);
            final = await status.WhenAsync(view => view.IsSettled, Settling, CancellationToken.None);
        }
        finally
        {
            await shown.CancelAsync();
            await showing;
        }

        dashboard.ShowFinal(final);
        if (options.Report is { } file) await RunReport.WriteAsync(file, RunReport.Build(final, driver.Tally, faults));
    }

    private int PortOf(int replica) => options.Port == 0 ? 0 : options.Port + replica;

    private void Say(string what) => screen.MarkupLineInterpolated($"[grey]demo[/]  {what}");

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private sealed class AsyncDisposables : IAsyncDisposable
    {
        private readonly Stack<IAsyncDisposable> _all = [];

        public void Add(IAsyncDisposable one) => _all.Push(one);

        public async ValueTask DisposeAsync()
        {
            while (_all.TryPop(out var one)) await one.DisposeAsync();
        }
    }
}
