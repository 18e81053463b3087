using System.CommandLine;
using Simulation;

var runs = new Option<int>("--runs") { Description = "Runs of each rule on each scenario.", DefaultValueFactory = _ => 200 };
var days = new Option<int>("--days") { Description = "How long a candidate is given.", DefaultValueFactory = _ => 21 };
var file = new Option<FileInfo?>("--report") { Description = "Where the tables are written." };
var command = new RootCommand("Promotes good and bad candidates by the real gate and by the rules of others, on fake time.") { runs, days, file };
command.SetAction(parsed =>
{
    var started = TimeProvider.System.GetTimestamp();
    var tables = Tournament.Run(parsed.GetValue(runs), TimeSpan.FromDays(parsed.GetValue(days)));
    var climbs = (from how in Enumerable.Range(0, 4)
                  from operation in SmallTeam.Operations
                  select (operation, sweeps: how / 2 == 1, deploys: how % 2 == 1)).AsParallel().AsOrdered()
        .Select(one => SmallTeam.Run(one.operation, one.sweeps, one.deploys, seed: 1)).ToArray();
    var report = Report.Of(tables, climbs, parsed.GetValue(runs), TimeProvider.System.GetElapsedTime(started));
    Console.Out.Write(report);
    if (parsed.GetValue(file) is { } output) File.WriteAllText(output.FullName, report);
    return tables.Any(result => result.BreaksItsPromise) || climbs.Any(climb => climb.Sweeps && climb.Waits.Length > 0) ? 1 : 0;
});
return await command.Parse(args).InvokeAsync();
