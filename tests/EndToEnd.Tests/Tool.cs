using System.Diagnostics;

namespace EndToEnd.Tests;

/// <summary>Runs a program that is installed here. One that is missing is a failure which says what to do, not a test that is skipped.</summary>
internal static class Tool
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    /// <summary>Besides the PATH: where Debian keeps servers, and where <c>deploy/*/ensure</c> unpack what is missing.</summary>
    private static readonly string[] Folders =
    [
        "/usr/sbin", Repository.Path(".cache", "prometheus", "usr", "bin"), Repository.Path(".cache", "haproxy", "bin"),
        Repository.Path(".cache", "pgbouncer", "usr", "sbin"),
    ];

    public static Task<string> SucceedsAsync(string program, params string[] arguments) => SucceedsInAsync(Repository.Root, program, arguments);

    /// <returns>What it printed, errors included.</returns>
    public static async Task<string> SucceedsInAsync(string directory, string program, params string[] arguments)
    {
        var (exitCode, printed) = await RunAsync(new(Find(program), arguments) { WorkingDirectory = directory });
        Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {exitCode}:\n{printed}");
        return printed;
    }

    /// <returns>How it ended, and what it printed, errors included.</returns>
    public static async Task<(int ExitCode, string Printed)> RunAsync(ProcessStartInfo start)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var process = new Process { StartInfo = start };
        process.Start();
        using var late = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        late.CancelAfter(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(late.Token);
            var error = process.StandardError.ReadToEndAsync(late.Token);
            await process.WaitForExitAsync(late.Token);
            return (process.ExitCode, await output + await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <returns>Where it is; null where it is not installed.</returns>
    public static string? Present(string program)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Concat(Folders);
        return folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
    }

    public static string Find(string program)
    {
        var found = Present(program);
        Assert.True(found is not null, $"{program} is neither on PATH nor in {string.Join(", ", Folders)}. Run: {Remedy(program)}");
        return found;
    }

    private static string Remedy(string program) => program switch
    {
        "npm" or "node" => "install Node.js",
        "chromium" => "deploy/chromium/ensure",
        "haproxy" => "deploy/haproxy/ensure",
        "pgbouncer" => "deploy/pgbouncer/ensure",
        "systemd-analyze" => "sudo apt-get install -y --no-install-recommends systemd",
        _ => "deploy/prometheus/ensure",
    };
}
