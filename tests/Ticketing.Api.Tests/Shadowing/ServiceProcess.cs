using System.Diagnostics;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>The service as a process of its own, which can be killed without a word.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ServiceProcess(Process process, TicketingDatabase database, string name, Uri address) =>
        (_process, Database, Name, Address) = (process, database, name, address);

    public TicketingDatabase Database { get; }

    public string Name { get; }

    public Uri Address { get; }

    public int ExitCode => _process.ExitCode;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts it and waits until it is ready for requests.</summary>
    public static async Task<ServiceProcess> StartAsync(TicketingDatabase database, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ApiHost).Assembly.Location]) { RedirectStandardOutput = true };
        foreach (var (name, value) in ShadowedService.Settings(database)) start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        foreach (var (name, value) in settings) start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        var process = Process.Start(start)!;
        try
        {
            var address = new Uri(await ListeningAsync(process));
            _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            using var http = new HttpClient { BaseAddress = address };
            await Until.HoldsAsync(async () => (await http.GetAsync("/health/ready", Cancellation)).IsSuccessStatusCode);
            return new(process, database, settings.FirstOrDefault(setting => setting.Name == "Shadowing:Replica").Value ?? "", address);
        }
        catch
        {
            process.Kill();
            process.Dispose();
            throw;
        }
    }

    /// <summary>Ends it without a word.</summary>
    public Task KillAsync()
    {
        _process.Kill();
        return _process.WaitForExitAsync(Cancellation);
    }

    /// <summary>Asks it to stop, and waits until it has.</summary>
    public async Task TerminateAsync()
    {
        await SignalAsync("TERM");
        await ExitedAsync();
    }

    /// <summary>Sends a signal; when it is acted upon is the process's affair.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"])!;
        await kill.WaitForExitAsync(Cancellation);
    }

    /// <summary>Waits until it has ended.</summary>
    public Task ExitedAsync() => _process.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromMinutes(2), Cancellation);

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task<string> ListeningAsync(Process process)
    {
        const string Marker = "Now listening on: ";
        while (await process.StandardOutput.ReadLineAsync(Cancellation) is { } line)
        {
            if (line.IndexOf(Marker, StringComparison.Ordinal) is >= 0 and var at) return line[(at + Marker.Length)..].Trim();
        }

        throw new InvalidOperationException("The service ended before it listened.");
    }
}
