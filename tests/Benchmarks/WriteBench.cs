using Ticketing.Demo.Database;

namespace Benchmarks;

/// <param name="Blocks">For each variant; they take turns in an order that is drawn anew each round.</param>
/// <param name="Rate">Writes a second, as irregular as in life, nobody waiting for anybody.</param>
/// <param name="Durable">Whether commits wait for the disk.</param>
internal sealed record WriteBenchOptions(int Blocks, TimeSpan Block, double Rate, bool Durable);

/// <summary>Drives the same writes at each variant in turn: whatever else the machine does meets all of them alike.</summary>
internal static class WriteBench
{
    private const int Tickets = 5_000;

    public static async Task<IReadOnlyList<Costs>> RunAsync(WriteBenchOptions options, Action<string> tell, TimeProvider clock, CancellationToken stop)
    {
        // When a row's version was committed is what tells how long it was held.
        await using var postgres = await PrivatePostgres.StartAsync(options.Durable, stop, "track_commit_timestamp=on");
        var template = await postgres.CreateAsync("seeded", stop);
        await Seeder.SeedAsync(template, Tickets, stop);
        var contestants = new List<Contestant>();
        try
        {
            foreach (var variant in Variant.All)
            {
                var database = await postgres.CloneAsync(template, $"variant_{contestants.Count}", stop);
                contestants.Add(await Contestant.StartAsync(variant, database, options.Rate, clock, stop));
            }

            // Until everything is compiled, prepared and opened.
            for (var warm = 0; warm < 3; warm++)
                foreach (var contestant in contestants) await contestant.WriteAsync(options.Block, isMeasured: false, stop);

            for (var block = 0; block < options.Blocks; block++)
            {
                foreach (var contestant in contestants.OrderBy(_ => Random.Shared.Next()).ToArray())
                    await contestant.WriteAsync(options.Block, isMeasured: true, stop);
                tell($"{block + 1} of {options.Blocks}");
            }

            var costs = new List<Costs>();
            foreach (var contestant in contestants) costs.Add(await contestant.CostsAsync(stop));
            return costs;
        }
        finally
        {
            foreach (var contestant in contestants) await contestant.DisposeAsync();
        }
    }
}
