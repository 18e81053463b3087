using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using EndToEnd.Tests.Live;
using Ticketing.Api;
using Ticketing.Demo;
using Ticketing.Demo.Database;

namespace EndToEnd.Tests.Rolling;

/// <summary>A replica as a process, at an address that stays the same when it is started again.</summary>
/// <remarks>
/// Each has a loopback address of its own, as machines have: no outgoing connection of this machine, which all come from 127.0.0.1, can
/// take its port while it is down.
/// </remarks>
/// <param name="settings">Over those that every replica has.</param>
internal sealed class ReplicaProcess(
    int number, int port, TicketingDatabase database, DemoSecrets secrets, string serveFor, params KeyValuePair<string, string?>[] settings)
    : IAsyncDisposable
{
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private Process? _process;

    public string Name { get; } = $"replica{number}";

    public string Authority { get; } = string.Create(CultureInfo.InvariantCulture, $"127.0.0.{number + 1}:{port}");

    public int ProcessId => _process!.Id;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts it and waits until it is ready.</summary>
    public async Task StartAsync()
    {
        _process?.Dispose();
        var start = new ProcessStartInfo("dotnet", [typeof(ApiHost).Assembly.Location])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in Settings()) start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        _process = Process.Start(start)!;
        var said = new ConcurrentQueue<string>();
        _process.OutputDataReceived += (_, line) => said.Enqueue(line.Data ?? "");
        _process.ErrorDataReceived += (_, line) => said.Enqueue(line.Data ?? "");
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        var answer = "no answer yet";
        try
        {
            await Eventually.HoldsAsync($"{Name} is ready", async () =>
            {
                if (_process.HasExited) Assert.Fail($"{Name} ended.");
                try
                {
                    using var response = await _http.GetAsync(new Uri($"http://{Authority}/health/ready"), Cancellation);
                    answer = $"{response.StatusCode} {await response.Content.ReadAsStringAsync(Cancellation)}";
                    return response.IsSuccessStatusCode;
                }
                catch (Exception none) when (none is HttpRequestException or TaskCanceledException && !Cancellation.IsCancellationRequested)
                {
                    // Not listening yet, or too busy to answer within the client's time.
                    answer = none.Message;
                    return false;
                }
            });
        }
        catch (Exception failure) when (!Cancellation.IsCancellationRequested)
        {
            throw new InvalidOperationException($"{Name}, last answer: {answer}\n{string.Join('\n', said)}", failure);
        }
    }

    public async Task TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process!.Id}"])!;
        await kill.WaitForExitAsync(Cancellation);
    }

    /// <summary>Ends it without a word, as a machine that fails does.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync(Cancellation);
    }

    /// <returns>Its exit code.</returns>
    public async Task<int> ExitedAsync()
    {
        await _process!.WaitForExitAsync(Cancellation);
        return _process.ExitCode;
    }

    public ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false }) _process.Kill();
        _process?.Dispose();
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private IEnumerable<KeyValuePair<string, string?>> Settings() =>
    [
        .. secrets.Settings,
        new("ASPNETCORE_URLS", $"http://{Authority}"),
        new("ConnectionStrings:Served", database.Served),
        new("ConnectionStrings:Shadow", database.Shadow),
        new("ConnectionStrings:Sandbox", database.Sandbox),
        new("ConnectionStrings:Evidence", database.Evidence),
        new("Shadowing:Replica", Name),
        new("Stopping:ServeFor", serveFor),
        .. settings,
    ];
}
