using System.Diagnostics;

namespace EndToEnd.Tests;

/// <summary>Runs a program that is installed here. One that is missing is a failure which says what to do, not a test that is skipped.</summary>
internal static class Tool
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    /// <summary>Besides the PATH: where Debian keeps servers, and where <c>deploy/*/ensure</c> unpack what is missing.</summary>
    private static readonly string[] Folders =
        ["/usr/sbin", Repository.Path(".cache", "prometheus", "usr", "bin"), Repository.Path(".cache", "haproxy", "bin")];

    public static Task<string> SucceedsAsync(string program, params string[] arguments) => SucceedsInAsync(Repository.Root, program, arguments);

    /// <returns>What it printed, errors included.</returns>
    public static async Task<string> SucceedsInAsync(string directory, string program, params string[] arguments)
    {
        var (exitCode, printed) = await RunAsync(directory, program, arguments);
        Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {exitCode}:\n{printed}");
        return printed;
    }

    private static async Task<(int ExitCode, string Printed)> RunAsync(string directory, string program, string[] arguments)
    {
        using var process = new Process
        {
            StartInfo = new(Find(program), arguments) { WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true },
        };
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

    public static string Find(string program)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Concat(Folders);
        var found = folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        Assert.True(found is not null, $"{program} is neither on PATH nor in {string.Join(", ", Folders)}. Run: {Remedy(program)}");
        return found;
    }

    private static string Remedy(string program) => program switch
    {
        "npm" or "node" => "install Node.js",
        "chromium" => "deploy/chromium/ensure",
        "haproxy" => "deploy/haproxy/ensure",
        _ => "deploy/prometheus/ensure",
    };
}
