using Npgsql;
using Shadowing.Comparison;
using Shadowing.Experiments;
using Shadowing.Model;
using Ticketing.Api.Tickets;
using Ticketing.Dapper;
using Ticketing.Demo.Database;
using Ticketing.Demo.Faults;

namespace Ticketing.Api.Tests.Demo;

/// <summary>Faults planted into the control, whose answers are right by definition, so that the fault is all there is to find.</summary>
public sealed class PlantedFaultTests(PlantedFaultTests.Tables tables) : IClassFixture<PlantedFaultTests.Tables>
{
    private static readonly FaultRegistry Registry = new(TimeProvider.System);
    private static readonly Caller Staff = new(Seeder.FirstSuperadmin, "superadmin");

    private readonly TicketSession _session = tables.Session;

    public static TheoryData<string> Mismatching => [.. Names(FaultShows.Mismatch)];

    internal static bool IsOfWrites(CandidateFault fault) =>
        TicketExperiments.All.Single(experiment => experiment.Operation == fault.Operation).Writes;

    public static TheoryData<string> Right => [.. Names(FaultShows.Statements), .. Names(FaultShows.Duration)];

    [Fact]
    public void Names_are_unique_and_each_fault_that_shows_as_a_mismatch_says_where()
    {
        Assert.Equal(Registry.All.Count, Registry.All.Select(fault => fault.Name).Distinct().Count());
        Assert.All(Registry.All, fault => Assert.Equal(fault.Shows is FaultShows.Mismatch, fault.Expected.Count > 0));
    }

    [Theory]
    [MemberData(nameof(Mismatching))]
    public async Task A_fault_leaves_the_differences_it_declares_and_no_others(string name)
    {
        var (faults, store) = Plant(name, 1);
        var expected = Registry.Find(name)!.Expected.Select(trace => (trace.Path, trace.Kind)).ToHashSet();

        var differing = 0;
        await foreach (var result in CompareAllAsync(store))
        {
            if (result.TotalDifferences == 0) continue;
            differing++;
            Assert.Equal(expected, result.Differences.Select(difference => (difference.Pattern, difference.Kind.Wire())).ToHashSet());
        }

        Assert.NotEqual(0, differing);
        Assert.Equal(differing, faults.Total);
    }

    [Theory]
    [MemberData(nameof(Right))]
    public async Task A_fault_of_cost_leaves_the_answers_right(string name)
    {
        var (faults, store) = Plant(name, 0.05);

        await foreach (var result in CompareAllAsync(store)) Assert.Equal(0, result.TotalDifferences);

        Assert.NotEqual(0, faults.Total);
    }

    [Fact]
    public async Task A_request_that_was_hit_is_hit_again_and_counted_once_while_its_equal_is_not()
    {
        var (faults, store) = Plant("wrong-count", 0.5);
        ListTickets hit = new(Staff, All: true), spared = new(Staff, All: true);
        Assert.Equal(hit, spared);

        var totals = new List<long>();
        foreach (var request in (ListTickets[])[hit, spared, hit, spared]) totals.Add((await store.ListAsync(request, Token)).Total);

        Assert.Equal([2 * PostgresFixture.Tickets, PostgresFixture.Tickets, 2 * PostgresFixture.Tickets, PostgresFixture.Tickets], totals);
        Assert.Equal(1, faults.Total);
    }

    [Fact]
    public async Task Nothing_is_planted_before_it_is_armed()
    {
        var faults = new PlantedFaults([new(Registry.Find("error")!, 1)]);
        var store = new FaultyTicketStore(new DapperTicketStore(_session), _session, faults);

        await store.GetAsync(new(Staff, 1), Token);

        Assert.Equal(0, faults.Total);
    }

    [Fact]
    public async Task An_error_is_thrown_instead_of_the_answer_and_counted()
    {
        var (faults, store) = Plant("error", 1);

        await Assert.ThrowsAsync<InvalidOperationException>(() => store.GetAsync(new(Staff, 1), Token));

        Assert.Equal(1, faults.ByFault["error"]);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static IEnumerable<string> Names(FaultShows shows) => Registry.All
        .Where(fault => fault.Shows == shows && !IsOfWrites(fault)).Select(fault => fault.Name);

    private (PlantedFaults Faults, ITicketStore Store) Plant(string name, double rate)
    {
        var faults = new PlantedFaults([new(Registry.Find(name)!, rate)]);
        faults.Arm();
        return (faults, new FaultyTicketStore(new DapperTicketStore(_session), _session, faults));
    }

    private async IAsyncEnumerable<ComparisonResult> CompareAllAsync(ITicketStore faulty)
    {
        Caller[] users = [.. tables.Owners.Select(owner => new Caller(owner, "user"))];
        foreach (var request in users.SelectMany(user => (ListTickets[])[new(user), new(user, Page: 2, Limit: 5)])
            .Concat([new(Staff, All: true), new(Staff, All: true, Status: "resolved", Page: 3, Limit: 7), new(Staff, All: true, Limit: 100)]))
            yield return Compare(TicketExperiments.List, request, await ControlAsync(request), await faulty.ListAsync(request, Token));
        foreach (var request in Enumerable.Range(1, 60).SelectMany(id => users.Take(2).Append(Staff).Select(caller => new GetTicket(caller, id))))
            yield return Compare(TicketExperiments.Get, request, await ControlAsync(request), await faulty.GetAsync(request, Token));
        foreach (var owner in users)
        {
            var own = await ControlAsync(new ListTickets(owner, Limit: 40));
            foreach (var request in own.Tickets.Select(ticket => new GetTicket(owner, ticket.Id)))
                yield return Compare(TicketExperiments.Get, request, await ControlAsync(request), await faulty.GetAsync(request, Token));
        }

        foreach (var timeframe in Enum.GetValues<Timeframe>())
        {
            var request = new GetStats(Staff, timeframe, tables.Now);
            yield return Compare(TicketExperiments.Stats, request, await ControlAsync(request), await faulty.StatsAsync(request, Token));
        }
    }

    private Task<TicketPage> ControlAsync(ListTickets request) => tables.OnceAsync(request, control => control.ListAsync(request, Token));

    private Task<TicketAnswer> ControlAsync(GetTicket request) => tables.OnceAsync(request, control => control.GetAsync(request, Token));

    private Task<TicketStats> ControlAsync(GetStats request) => tables.OnceAsync(request, control => control.StatsAsync(request, Token));

    private static ComparisonResult Compare<TRequest, TAnswer>(
        Experiment<ITicketStore, TRequest, TAnswer> experiment, TRequest request, TAnswer control, TAnswer candidate) =>
        experiment.ComparerFor(ComparisonLimits.Default).Compare(control, candidate, request);

    /// <summary>A copy of the seeded tables, read by one test after the other.</summary>
    public sealed class Tables(PostgresFixture postgres) : IAsyncLifetime
    {
        private readonly Dictionary<object, object> _answers = [];

        internal TicketSession Session { get; private set; } = null!;

        /// <summary>The moment that statistics are as of.</summary>
        internal DateTime Now { get; } = DateTime.SpecifyKind(TimeProvider.System.GetUtcNow().DateTime, DateTimeKind.Unspecified);

        /// <summary>Those with the most tickets.</summary>
        internal int[] Owners { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            var database = await postgres.CloneAsync("planted_faults", Token);
            var connection = new NpgsqlConnection(database.Owner);
            await connection.OpenAsync(Token);
            Session = TicketSession.Within(connection, await connection.BeginTransactionAsync(Token));
            await using var command = new NpgsqlCommand(
                "select array_agg(id) from (select user_id as id from support_tickets group by 1 order by count(*) desc, 1 limit 5) as most", connection);
            Owners = (int[])(await command.ExecuteScalarAsync(Token))!;
        }

        /// <summary>What the control answers. The tables do not change, so that it is asked once.</summary>
        internal async Task<TAnswer> OnceAsync<TAnswer>(object request, Func<ITicketStore, Task<TAnswer>> ask)
            where TAnswer : class
        {
            if (!_answers.TryGetValue(request, out var answer)) _answers.Add(request, answer = await ask(new DapperTicketStore(Session)));
            return (TAnswer)answer;
        }

        public async ValueTask DisposeAsync()
        {
            if (Session is not null) await Session.Connection.DisposeAsync();
        }
    }
}
