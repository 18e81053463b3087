using System.CommandLine;
using Soak;
using Ticketing.Demo.Database;

Option<long> comparisons = new("--comparisons") { Description = "It ends after so many.", DefaultValueFactory = _ => 1_000_000 };
Option<int> minutes = new("--for") { Description = "It ends after so many minutes at the latest.", DefaultValueFactory = _ => 240 };
Option<int> readers = new("--readers") { Description = "Concurrent readers.", DefaultValueFactory = _ => 4 };
Option<int> writers = new("--writers") { Description = "Concurrent writers.", DefaultValueFactory = _ => 4 };
Option<long> writes = new("--writes") { Description = "Compared writes that it takes besides.", DefaultValueFactory = _ => 0 };
Option<int> sampled = new("--sampled-writers") { Description = "Concurrent writers whose writes are compared.", DefaultValueFactory = _ => 2 };
Option<int> tickets = new("--tickets") { Description = "Tickets to begin with.", DefaultValueFactory = _ => 5_000 };
Option<double> rate = new("--rate") { Description = "The share of answers that each planted fault changes.", DefaultValueFactory = _ => 1e-5 };
Option<double> raceRate = new("--race-rate") { Description = "The same for the race-only fault.", DefaultValueFactory = _ => 1e-4 };

var command = new RootCommand("Compares under concurrent writers until a mismatch that nobody planted, or none, is found.")
{
    comparisons, minutes, readers, writers, writes, sampled, tickets, rate, raceRate,
};
command.SetAction(async (asked, stop) =>
{
    await using var postgres = await PrivatePostgres.StartAsync(durable: false, stop);
    var database = await postgres.CreateAsync("ticketing", stop);
    await Seeder.SeedAsync(database, asked.GetValue(tickets), stop);
    var options = new SoakOptions(
        asked.GetValue(comparisons), TimeSpan.FromMinutes(asked.GetValue(minutes)), asked.GetValue(readers), asked.GetValue(writers),
        asked.GetValue(rate), asked.GetValue(raceRate))
    {
        Writes = asked.GetValue(writes),
        SampledWriters = asked.GetValue(sampled),
    };
    var figures = await new SoakRun(database, options, TimeProvider.System).RunAsync(Console.WriteLine, stop);
    Console.WriteLine(SoakReport.Of(figures));
    return figures.Violations.Count == 0 ? 0 : 1;
});
return await command.Parse(args).InvokeAsync();
