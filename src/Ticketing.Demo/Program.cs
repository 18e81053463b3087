using System.Runtime.InteropServices;
using Ticketing.Demo;
using Ticketing.Demo.Faults;
using Ticketing.Demo.Screen;

using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hungUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

var clock = TimeProvider.System;
var orphaned = ParentWatch.OrphanedAsync(clock, stop.Token).ContinueWith(_ => stop.Cancel(), TaskScheduler.Default);

try
{
    return await new DemoCommand(new FaultRegistry(clock)).InvokeAsync(
        args,
        (options, stopped) => new DemoRun(options, Terminal.Open(), clock).RunAsync(stopped),
        Console.Out,
        Console.Error,
        stop.Token);
}
catch (Exception failure)
    when (failure is (InvalidOperationException and not ObjectDisposedException) or IOException or Npgsql.NpgsqlException)
{
    await Console.Error.WriteLineAsync(failure.Message);
    return 1;
}

// Only the first signal is cancelled. A second one ends the process at once, and PostgreSQL with it.
void Stop(PosixSignalContext signal)
{
    signal.Cancel = !stop.IsCancellationRequested;
    stop.Cancel();
}
