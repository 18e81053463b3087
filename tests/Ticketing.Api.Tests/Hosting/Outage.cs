using System.Net;
using Npgsql;
using Shadowing.AspNetCore.Endpoints;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Hosting;

/// <summary>
/// A warm service whose evidence store and shadow database hang, then refuse, then come back, while users go on asking; and what was seen of
/// each keeper meanwhile.
/// </summary>
public sealed class Outage(PostgresFixture postgres) : IAsyncLifetime
{
    /// <summary>The keepers that work on one of the two databases once the service is warm.</summary>
    public static readonly string[] Keepers = ["evidence", "horizon", "listener", "mismatches", "rollout", "served", "setup", "sweeps"];

    private readonly HashSet<string> _whileHanging = [];
    private readonly HashSet<string> _whileRefusing = [];
    private readonly List<int> _users = [];

    /// <summary>Keepers that a finding named while both databases hung.</summary>
    public IReadOnlySet<string> WhileHanging => _whileHanging;

    /// <summary>Keepers that a finding named while both databases refused.</summary>
    public IReadOnlySet<string> WhileRefusing => _whileRefusing;

    /// <summary>Keepers that a finding still named after everything had come back.</summary>
    public IReadOnlySet<string> Afterwards { get; private set; } = new HashSet<string>();

    /// <summary>The answers' status codes of all users' requests meanwhile.</summary>
    public IReadOnlyList<int> Users => _users;

    /// <summary>What the gate said of tickets.get: its decision and its reasons' codes, while both hung.</summary>
    public (string Decision, string[] Reasons) GateMeanwhile { get; private set; }

    /// <summary>The status code of asking the gate to confirm, while both hung.</summary>
    public HttpStatusCode ConfirmMeanwhile { get; private set; }

    /// <summary>The codes of the gate's reasons after everything had come back.</summary>
    public string[] GateAfterwards { get; private set; } = [];

    /// <summary>Cases that the gate knew of before the outage, and at last after it, with new requests in between.</summary>
    public (int Before, int After) Cases { get; private set; }

    public async ValueTask InitializeAsync()
    {
        var database = await postgres.CloneAsync("outage", TestContext.Current.CancellationToken);
        await using var evidence = new Forwarder(database.Evidence);
        await using var shadow = new Forwarder(database.Shadow);
        await using var replica = await Replica.StartAsync(database, settings:
        [
            ("ConnectionStrings:Evidence", Quick(evidence)), ("ConnectionStrings:Listen", Quick(evidence) + ";Keepalive=1"),
            ("ConnectionStrings:Shadow", Quick(shadow)),
        ]);
        await replica.ProveAsync();
        // Only what the candidate answers users is stored by the keeper 'served'.
        await replica.ServeAsync();
        var before = await CasesAsync(replica);

        evidence.Hang();
        shadow.Hang();
        await SeeAsync(replica, _whileHanging);
        GateMeanwhile = await GateAsync(replica);
        ConfirmMeanwhile = (await replica.SendAsync(HttpMethod.Post, "gate/tickets.get/confirm", null)).Status;

        evidence.Cut();
        shadow.Cut();
        evidence.Flow();
        shadow.Flow();
        await SeeAsync(replica, _whileRefusing);

        evidence.Mend();
        shadow.Mend();
        await Until.HoldsAsync(async () =>
        {
            _users.Add(await replica.Service.GetAsync("/api/tickets/1"));
            return Down(await replica.Service.StatusAsync()).Count == 0;
        });
        Afterwards = Down(await replica.Service.StatusAsync());
        var next = 31;
        await Until.HoldsAsync(async () =>
        {
            _users.Add(await replica.Service.GetAsync($"/api/tickets/{next++ % 300}"));
            return await CasesAsync(replica) > before;
        });
        Cases = (before, await CasesAsync(replica));
        GateAfterwards = (await GateAsync(replica)).Reasons;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string Quick(Forwarder to) =>
        new NpgsqlConnectionStringBuilder(to.ConnectionString) { Timeout = 1, CommandTimeout = 1, CancellationTimeout = 500 }.ConnectionString;

    private static HashSet<string> Down(ShadowStatus status) =>
        [.. status.Findings.Where(finding => finding.Object.StartsWith("keeper ", StringComparison.Ordinal)).Select(finding => finding.Object["keeper ".Length..])];

    private static async Task<(string Decision, string[] Reasons)> GateAsync(Replica replica)
    {
        var gate = await replica.GetAsync("gate/tickets.get");
        return ((string)gate["decision"]!, [.. gate["reasons"]!.AsArray().Select(reason => (string)reason!["code"]!)]);
    }

    private static async Task<int> CasesAsync(Replica replica) => (await replica.GetAsync("gate/tickets.get"))["figures"]?["cases"]?.GetValue<int>() ?? 0;

    /// <summary>Looks until every keeper has been seen down once, or the time is over: the tests then name those that have not.</summary>
    private async Task SeeAsync(Replica replica, HashSet<string> seen)
    {
        try
        {
            await Until.HoldsAsync(async () =>
            {
                _users.Add(await replica.Service.GetAsync("/api/tickets/1"));
                seen.UnionWith(Down(await replica.Service.StatusAsync()));
                return seen.IsSupersetOf(Keepers);
            });
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            // Some were not seen.
        }
    }
}
