using Shadowctl;
using Spectre.Console;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = !stop.IsCancellationRequested;
    stop.Cancel();
};

var console = AnsiConsole.Create(new AnsiConsoleSettings());
if (!console.Profile.Out.IsTerminal) console.Profile.Width = 200;
return await new CommandLine(console, Console.Out).RunAsync(args, Console.Error, stop.Token);
