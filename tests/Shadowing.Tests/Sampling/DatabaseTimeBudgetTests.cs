using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Shadowing.Confirming;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Settings;

namespace Shadowing.Tests.Sampling;

/// <summary>The shadow takes no more of the database's time than it was given.</summary>
public sealed class DatabaseTimeBudgetTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void What_was_used_is_earned_back_at_the_rate_of_the_setting()
    {
        var budget = Budget(0.5);
        Assert.True(budget.Allows(isReserved: false));
        budget.Charge(TimeSpan.FromSeconds(6));
        Assert.False(budget.Allows(isReserved: true));
        _clock.Advance(TimeSpan.FromSeconds(2.1));
        Assert.True(budget.Allows(isReserved: true));
        Assert.False(budget.Allows(isReserved: false));
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.True(budget.Allows(isReserved: false));
    }

    [Fact]
    public void An_idle_hour_saves_nothing_up()
    {
        var budget = Budget(1);
        _clock.Advance(TimeSpan.FromHours(1));
        budget.Charge(TimeSpan.FromSeconds(11));
        Assert.False(budget.Allows(isReserved: true));
    }

    [Fact]
    public void While_it_is_short_a_user_with_large_rows_waits_and_the_others_do_not()
    {
        var budget = Budget(0.5);
        Assert.False(budget.IsShort);
        budget.Charge(TimeSpan.FromSeconds(3));
        budget.ChargeUser(7, TimeSpan.FromSeconds(3));
        Assert.True(budget.IsShort);
        Assert.False(budget.AllowsUser(7));
        Assert.True(budget.AllowsUser(8));
        _clock.Advance(TimeSpan.FromSeconds(20));
        Assert.True(budget.AllowsUser(7));
    }

    [Fact]
    public void Many_threads_lose_no_charge()
    {
        var budget = Budget(1);
        Parallel.For(0, 9_000, _ => budget.Charge(TimeSpan.FromMilliseconds(1)));
        Assert.False(budget.Allows(isReserved: false));
        _clock.Advance(TimeSpan.FromSeconds(1.001));
        Assert.True(budget.Allows(isReserved: false));
    }

    [Fact]
    public async Task A_spent_budget_skips_and_the_user_is_answered()
    {
        await using var engine = await Costing(TimeSpan.FromMilliseconds(20)).StartAsync();
        await engine.CompareAsync();
        Assert.Equal("yes", (await engine.AskAsync()).Text);
        var status = await engine.SettledAsync();
        Assert.Equal((1, 1), (status.Comparisons["match"], status.Skips["budget"]));
        Assert.Equal(1, Ledger(engine).Take()!.Shapes.Single().Counts.Shed);
    }

    [Fact]
    public async Task The_last_part_is_kept_for_what_is_not_proven()
    {
        await using var engine = await Costing(TimeSpan.FromMilliseconds(9.9)).StartAsync();
        await engine.CompareAsync();
        Ledger(engine).MarkProven("oracle.ask", new HashSet<string> { "any" }, 1);
        await engine.CompareAsync();
        Assert.Equal(1, engine.Status.Skips["budget"]);
        Ledger(engine).MarkProven("oracle.ask", new HashSet<string>(), 1);
        Assert.Equal(2, (await engine.CompareAsync()).Comparisons["match"]);
    }

    [Fact]
    public async Task A_shape_is_compared_in_its_share_and_a_new_one_always()
    {
        var known = new Experiment<Oracle, Question, Answer>("oracle.ask", static (oracle, question, token) => oracle.AskAsync(question, token))
        {
            Shape = static question => question.Text,
        };
        await using var engine = new Engine(new() { ["QueueCapacity"] = "65536" }, experiments: known);
        await AskAsync("known", 1);
        Ledger(engine).Sample("oracle.ask", new Dictionary<string, double> { ["known"] = 0.1 });
        await AskAsync("known", 4_000);
        Assert.InRange(engine.Status.Queued, 300, 500);
        var before = engine.Status.Queued;
        await AskAsync("new", 50);
        Assert.Equal(before + 50, engine.Status.Queued);

        async Task AskAsync(string shape, int times)
        {
            for (var i = 0; i < times; i++) await engine.Runner.RunAsync(known, new(shape), TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A candidate that says it kept the database busy for so long; a thousandth of a second a second is allowed.</summary>
    private static Engine Costing(TimeSpan time) => new(new() { ["DatabaseTimeBudget"] = "0.001", ["LatencyPairPercent"] = "0", ["SelfTestInterval"] = "01:00:00" })
    {
        Candidate = (_, _) =>
        {
            StatementLedger.Current!.Ended(1, TimeProvider.System);
            StatementLedger.Current.Spend(time);
            return Task.FromResult(new Answer("yes"));
        },
    };

    private static EvidenceLedger Ledger(Engine engine) => engine.Services.GetRequiredService<EvidenceLedger>();

    private DatabaseTimeBudget Budget(double perSecond) => new(SettingsInForce.ForOptions(new() { DatabaseTimeBudget = perSecond }), _clock);
}
