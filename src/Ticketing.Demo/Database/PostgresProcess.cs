using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Ticketing.Demo.Database;

/// <summary>A running server, such as <c>postgres</c>, child of a thread of its own.</summary>
/// <remarks>
/// The kernel sends a child's death signal when the <em>thread</em> that started it ends, so that thread stays until the child is gone.
/// </remarks>
internal sealed class PostgresProcess
{
    public const int FastShutdown = 2; // SIGINT
    public const int ImmediateShutdown = 3; // SIGQUIT
    private const string Ready = "database system is ready to accept connections";
    private const int RememberedLines = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ProcessStartInfo _start;
    private readonly string _readyLine;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<string> _log = new();
    private volatile int _id;

    private PostgresProcess(ProcessStartInfo start, string ready) => (_start, _readyLine) = (start, ready);

    public int Id => _id;

    /// <summary>Completes once the server takes connections.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; the message holds what it said.</exception>
    /// <param name="ready">What it writes once it does.</param>
    public static async Task<PostgresProcess> StartAsync(ProcessStartInfo start, CancellationToken cancellationToken, string ready = Ready)
    {
        start.RedirectStandardError = true;
        var process = new PostgresProcess(start, ready);
        new Thread(process.Run) { IsBackground = true, Name = "private PostgreSQL" }.Start();
        try
        {
            await process._ready.Task.WaitAsync(cancellationToken);
            return process;
        }
        catch (OperationCanceledException)
        {
            await process.StopAsync(ImmediateShutdown);
            throw;
        }
    }

    /// <summary>Signals the server and completes once it and all its children are gone.</summary>
    public async Task StopAsync(int signal)
    {
        Signal(signal);
        try
        {
            await _exited.Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            Signal(ImmediateShutdown);
            await _exited.Task;
        }
    }

    private void Run()
    {
        try
        {
            using var process = Process.Start(_start)!;
            _id = process.Id;
            while (process.StandardError.ReadLine() is { } line)
            {
                if (_log.Count == RememberedLines) _log.Dequeue();
                _log.Enqueue(line);
                if (line.Contains(_readyLine, StringComparison.Ordinal)) _ready.TrySetResult();
            }

            process.WaitForExit();
            _ready.TrySetException(new InvalidOperationException($"The server did not start: {string.Join(Environment.NewLine, _log)}"));
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            _ready.TrySetException(new InvalidOperationException($"The server could not be started: {e.Message}", e));
        }
        finally
        {
            _exited.TrySetResult();
        }
    }

    private void Signal(int signal)
    {
        if (_id > 0 && !_exited.Task.IsCompleted) _ = Kill(_id, signal);
    }

    [DllImport("libc", EntryPoint = "kill"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
