using System.CommandLine;
using Benchmarks;
using Benchmarks.Calling;
using Benchmarks.Comparing;
using Benchmarks.Idling;

Option<int> blocks = new("--blocks") { Description = "Blocks of traffic for each variant.", DefaultValueFactory = _ => 25 };
Option<double> seconds = new("--block") { Description = "Seconds of traffic in a block.", DefaultValueFactory = _ => 4 };
Option<double> rate = new("--rate") { Description = "Writes a second.", DefaultValueFactory = _ => 40 };
Option<bool> durable = new("--durable") { Description = "Whether commits wait for the disk, as in life." };
Option<FileInfo?> file = new("--report") { Description = "Where the tables are written." };

var command = new RootCommand("What a write costs its user: with its comparison, without it, and without any shadow, in one run.") { blocks, seconds, rate, durable, file };
command.SetAction(async (asked, stop) =>
{
    var options = new WriteBenchOptions(
        asked.GetValue(blocks), TimeSpan.FromSeconds(asked.GetValue(seconds)), asked.GetValue(rate), asked.GetValue(durable));
    var report = WriteReport.Of(options, await WriteBench.RunAsync(options, Console.Error.WriteLine, TimeProvider.System, stop));
    Console.Out.Write(report);
    if (asked.GetValue(file) is { } output) await File.WriteAllTextAsync(output.FullName, report, stop);
    return 0;
});
Option<int> rounds = new("--rounds") { Description = "Rounds of slices for each contender.", DefaultValueFactory = _ => 100 };
var compare = new Command("compare", "What comparing two answers costs, beside equality written out by hand.") { rounds, file };
compare.SetAction(async (asked, stop) =>
{
    var report = CompareBench.Run(asked.GetValue(rounds));
    Console.Out.Write(report);
    if (asked.GetValue(file) is { } output) await File.WriteAllTextAsync(output.FullName, report, stop);
    return 0;
});
command.Add(compare);
var call = new Command("call", "What a call costs its caller: off, not sampled and sampled, beside an awaited pair.") { rounds, file };
call.SetAction(async (asked, stop) =>
{
    var report = await CallBench.RunAsync(asked.GetValue(rounds), stop);
    Console.Out.Write(report);
    if (asked.GetValue(file) is { } output) await File.WriteAllTextAsync(output.FullName, report, stop);
    return 0;
});
command.Add(call);
Option<double> time = new("--for") { Description = "Seconds to count.", DefaultValueFactory = _ => 30 };
var idle = new Command("idle", "What a replica asks of PostgreSQL while no user comes.") { time, file };
idle.SetAction(async (asked, stop) =>
{
    var report = await IdleBench.RunAsync(TimeSpan.FromSeconds(asked.GetValue(time)), TimeProvider.System, stop);
    Console.Out.Write(report);
    if (asked.GetValue(file) is { } output) await File.WriteAllTextAsync(output.FullName, report, stop);
    return 0;
});
command.Add(idle);
return await command.Parse(args).InvokeAsync();
