using System.Runtime.CompilerServices;
using Shadowing.Evidence;
using Shadowing.Sweeping;
using Shadowing.Tests.Writing;

namespace Shadowing.Tests.Sweeping;

/// <summary>A walk of writes through both sides, in sandboxes: what it proves, what it leaves undecided, and what it takes from users.</summary>
public sealed class WriteSweepTests
{
    private readonly List<SweepAdvance> _stored = [];

    [Fact]
    public async Task What_a_sweep_of_writes_compares_counts_as_swept_and_proves_the_shape_once_it_was_met_live()
    {
        await using var engine = await new ShelfEngine().StartAsync();
        await SweepAsync(engine, new(1, "one"), new(1, "another"), new(2, "made"));
        Assert.Equal(new(3, 3, 0), Total);
        Assert.Equal((3, 0), (Occupied(CaseSet.All), Occupied(CaseSet.Live)));
        Assert.True(IsProven);

        // In the sandbox alone, and in no count of live traffic.
        Assert.Contains("old", Assert.Single(engine.Rows).Value, StringComparison.Ordinal);
        Assert.DoesNotContain("committed", engine.Happened);
        Assert.Equal(0, engine.Status.Requests);
        Assert.Null(engine.Evidence.Take());
    }

    [Fact]
    public async Task A_write_whose_rows_cannot_be_had_is_undecided_in_the_end_and_holds_up_no_other()
    {
        var tries = 0;
        await using var engine = await new ShelfEngine
        {
            ImageFails = put =>
            {
                if (put.Key != 2) return null;
                tries++;
                return new InvalidOperationException("The rows are refused.");
            },
        }.StartAsync();
        await SweepAsync(engine, new(1, "one"), new(2, "refused"), new(3, "three"));
        Assert.True(_stored[^1].IsFinished);
        Assert.Equal(new(3, 2, 0), Total);
        Assert.InRange(tries, 2, 10);
        Assert.False(IsProven);
    }

    [Fact]
    public async Task A_write_whose_database_is_away_is_waited_for()
    {
        var tries = 0;
        await using var engine = await new ShelfEngine { ImageFails = _ => tries++ == 0 ? new DatabaseGoneException() : null }.StartAsync();
        await SweepAsync(engine, new Put(1, "one"));
        Assert.Equal((new(1, 1, 0), 2), (Total, tries));
    }

    [Fact]
    public async Task A_write_that_concerns_too_many_rows_is_undecided()
    {
        await using var engine = await new ShelfEngine { ImagesAreTooLarge = true }.StartAsync();
        await SweepAsync(engine, new Put(1, "one"));
        Assert.Equal(new(1, 0, 0), Total);
    }

    [Fact]
    public async Task A_wrong_write_that_a_sweep_finds_takes_the_candidate_from_its_users()
    {
        await using var engine = await new ShelfEngine
        {
            Candidate = (shelf, put, _) => Task.FromResult(shelf.Store(put.Key, put.Key == 2 ? put.Text + "!" : put.Text)),
        }.StartServingAsync();
        await engine.PutAsync();
        await engine.SettledAsync();
        Assert.Equal(100, engine.Status.EffectiveServePercent);

        await SweepAsync(engine, new(1, "one"), new(2, "wrong"));
        Assert.Equal(new(2, 2, 1), Total);
        Assert.Equal(1, Occupied(CaseSet.Mismatch));
        Assert.Equal(0, engine.Status.EffectiveServePercent);
        Assert.Equal("critical", Assert.Single(engine.Mismatches.Read()).Severity);
        Assert.False(IsProven);

        await engine.PutAsync("after");
        Assert.Equal(1, engine.Happened.Count(what => what == "Candidate served"));
    }

    private SweptShape Total => _stored.SelectMany(advance => advance.Shapes.Values).Aggregate(
        new SweptShape(0, 0, 0), (left, right) => new(left.Existing + right.Existing, left.Swept + right.Swept, left.Mismatches + right.Mismatches));

    /// <summary>Whether the gate takes the shape for proven by the sweep, with the one live case that it wants besides.</summary>
    private bool IsProven => Gate.ProvenShapes(
        new()
        {
            Operation = ShelfEngine.Put.Operation,
            Candidate = ShelfEngine.Fingerprint,
            Cases = Occupied(CaseSet.All),
            LiveCases = 1,
            Shapes =
            [
                new("any")
                {
                    Cases = Occupied(CaseSet.All),
                    LiveCases = 1,
                    Mismatches = Occupied(CaseSet.Mismatch),
                    Existing = Total.Existing,
                    Swept = Total.Swept,
                },
            ],
        },
        GatePolicy.Default).Contains("any");

    private int Occupied(CaseSet set)
    {
        var bitmap = CaseBitmap.ForOperation();
        foreach (var page in _stored.SelectMany(advance => advance.Cases?.Pages ?? []).Where(page => page.Shape is null && page.Set == set))
            bitmap.MergeStored(page.Page);
        return bitmap.Occupied;
    }

    private Task SweepAsync(ShelfEngine engine, params Put[] puts)
    {
        return engine.Sweeper.RunAsync(
            new Sweep<Shelf, Put, PutAnswer>(ShelfEngine.Put, All), new(1, ShelfEngine.Put.Operation, null, 1000, null, 0, new Dictionary<string, int>()),
            Store, TestContext.Current.CancellationToken);

        async IAsyncEnumerable<SweepStep<Put>> All(string? cursor, [EnumeratorCancellation] CancellationToken token)
        {
            foreach (var put in puts)
            {
                await Task.Yield();
                yield return new(put, $"{put.Key}");
            }
        }
    }

    private Task<bool> Store(SweepAdvance advance, CancellationToken token)
    {
        _stored.Add(advance);
        return Task.FromResult(true);
    }
}
