using System.Globalization;
using System.Text.Json;
using Npgsql;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Writes;

/// <summary>Writes on a few rows at once, beside others that change the same rows: each tries to be taken for another.</summary>
public sealed class ConcurrentWritesTests
{
    private const int Rows = 8;
    private const string Password = "only of this cluster";

    private static readonly TableKind Kind = new(
        ["t"],
        "create table t (id serial primary key, value text, at timestamptz not null default now()); "
        + $"insert into t (value) select 'a' || n from generate_series(1, {Rows}) n",
        "insert into t (value) values (@value), (@value || '2') returning id::text", "id = @number", "");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task None_is_taken_for_another_and_a_mistake_is_found_among_them()
    {
        await using var postgres = await PrivatePostgres.StartAsync(durable: false, Cancellation);
        var database = await postgres.CreateAsync("crowded", Cancellation);
        var owner = new NpgsqlConnectionStringBuilder(postgres.Administrator(database.Name)) { Pooling = true };
        await using var source = NpgsqlDataSource.Create(owner);
        await ExecuteAsync(source, $"{Kind.Schema}; create role records_shadow login password '{Password}'; grant select on t to records_shadow");
        var shadow = new NpgsqlConnectionStringBuilder(owner.ConnectionString) { Username = "records_shadow", Password = Password };
        await using var host = await RecordsHost.StartAsync(Kind, owner.ConnectionString, shadow.ConnectionString);

        var requests = Effort.Of(600, all: 20_000);
        await CrowdAsync(host, source, requests);
        var (update, add, remove) = (await host.SettledAsync("records.update"), await host.SettledAsync("records.add"), await host.SettledAsync("records.remove"));
        var said = JsonSerializer.Serialize((object[])[update, add, remove]);
        long Sum(string outcome) => update.Comparisons[outcome] + add.Comparisons[outcome] + remove.Comparisons[outcome];
        Assert.True(Sum("mismatch") + Sum("candidate_error") + Sum("candidate_timeout") == 0, said);
        Assert.True(Sum("match") >= requests / 3 && Sum("match") > Sum("incomparable"), said);
        TestContext.Current.SendDiagnosticMessage(said);

        host.Mistake.IsMade = true;
        await CrowdAsync(host, source, 200);
        Assert.True((await host.SettledAsync("records.update")).Comparisons["mismatch"] > 0);
        Assert.True((await host.SettledAsync("records.add")).Comparisons["mismatch"] > 0);
    }

    private static async Task CrowdAsync(RecordsHost host, NpgsqlDataSource source, int requests)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var others = OthersAsync(source, enough.Token);
        await Parallel.ForAsync(0, requests, new ParallelOptions { MaxDegreeOfParallelism = 3, CancellationToken = Cancellation }, async (n, token) =>
        {
            // Faster than rows are read, most writes would not be compared.
            await host.UntilAsync(static status => status.InFlight < 2);
            var value = string.Create(CultureInfo.InvariantCulture, $"v{n}");
            if (n % 3 == 0)
            {
                var added = await host.AskAsync(records => records.AddAsync(new("", value), token));
                await host.AskAsync(records => records.UpdateAsync(new("", int.Parse(added[1], CultureInfo.InvariantCulture), value), token));
                await host.AskAsync(records => records.RemoveAsync(new("", int.Parse(added[0], CultureInfo.InvariantCulture)), token));
            }
            else
            {
                // One in ten finds no such row.
                await host.AskAsync(records => records.UpdateAsync(new("", n % 10 == 0 ? 1_000_000 : 1 + (n % Rows), value), token));
            }
        });
        await enough.CancelAsync();
        await others;
    }

    /// <summary>Others write to the same rows: as one statement, with savepoints, and without changing anything.</summary>
    private static async Task OthersAsync(NpgsqlDataSource source, CancellationToken enough)
    {
        try
        {
            for (var n = 0; !enough.IsCancellationRequested; n++)
            {
                var row = 1 + (n % Rows);
                await ExecuteAsync(source, (n % 4) switch
                {
                    0 => $"update t set value = 'o{n}' where id = {row}",
                    1 => $"begin; savepoint a; update t set value = 's{n}' where id = {row}; release a; update t set value = value where id = {row}; commit",
                    2 => $"begin; select from t where id = {row} for update; commit",
                    _ => $"insert into t (id, value) values ({row}, 'u{n}') on conflict (id) do update set value = excluded.value",
                });
                await Task.Delay(15, enough);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
