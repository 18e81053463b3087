using Microsoft.Extensions.Logging.Testing;
using Ticketing.Api.Tests.Database;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>A write that is not sampled pays nothing, told by the driver's own log: every command, and where transactions begin and end.</summary>
public sealed class UnsampledWritesTests(PostgresFixture postgres)
{
    private const int CommandCompleted = 2001;

    private static readonly (string, string) Off = ("Shadowing:Enabled", "false");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_write_that_is_not_sampled_takes_the_statements_that_it_takes_without_a_shadow()
    {
        var alone = await StatementsAsync("alone", Off);
        var unsampled = await StatementsAsync("unsampled", ("Shadowing:SamplePercent", "0"));
        var sampled = await StatementsAsync("sampled", WritesUnderTrafficTests.Everything);
        foreach (var operation in WritesUnderTrafficTests.Operations)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"{operation}: {alone[operation].Length} alone, {sampled[operation].Length} sampled");
            // Who asks, and the write itself.
            Assert.InRange(alone[operation].Length, 2, 20);
            Assert.Equal(alone[operation], unsampled[operation]);
            // More of them would have been seen.
            Assert.InRange(sampled[operation].Length, alone[operation].Length + 1, 100);
        }
    }

    /// <summary>
    /// What the served role was sent for each write, the second time round: the first time is like no other. Where writes are compared it goes
    /// round until all four of them were: on a machine that is short of time one is now and then let be.
    /// </summary>
    private async Task<Dictionary<string, string[]>> StatementsAsync(string name, params (string, string)[] settings)
    {
        var database = await postgres.CloneAsync($"statements_{name}", Cancellation);
        await using var service = await ShadowedService.StartAsync(
            database, warm: !settings.Contains(Off), settings: [.. settings, ("Logging:LogLevel:Npgsql", "Debug")]);
        await Until.HoldsAsync(async () => (await service.Http.GetAsync("/health/ready", Cancellation)).IsSuccessStatusCode);
        var (writer, statements) = (new TicketWriter(service.Http), new Dictionary<string, string[]>());
        var isSampled = settings == WritesUnderTrafficTests.Everything;
        var matches = 0;
        for (var round = 0; round < 2 || (isSampled && matches < WritesUnderTrafficTests.Operations.Length && round < 50); round++)
        {
            (matches, var ticket) = (0, 0);
            await NoteAsync("tickets.create", async () => ticket = await writer.CreateAsync("A subject"));
            await NoteAsync("tickets.comment", () => writer.CommentAsync(ticket, "A comment"));
            await NoteAsync("tickets.update", () => writer.ResolveAsync(ticket, "A resolution"));
            await NoteAsync("tickets.delete", () => writer.DeleteAsync(ticket));
        }

        return statements;

        async Task NoteAsync(string operation, Func<Task> write)
        {
            var before = (await service.StatusAsync(operation)).Comparisons["match"];
            service.Logs.Clear();
            await write();
            if ((await service.SettledAsync(operation)).Comparisons["match"] > before) matches++;
            var sessions = await Sql.LinesAsync(
                database.Owner, "select pid from pg_stat_activity where datname = current_database() and usename = 'ticketing_served'");
            statements[operation] =
            [
                .. service.Logs.GetSnapshot().Where(IsStatement)
                    .Where(record => sessions.Contains(record.GetStructuredStateValue("ConnectorId"))).Select(TextOf),
            ];
        }
    }

    private static bool IsStatement(FakeLogRecord record) =>
        record.Category is "Npgsql.Transaction" || (record.Category is "Npgsql.Command" && record.Id.Id == CommandCompleted);

    private static string TextOf(FakeLogRecord record) =>
        record.GetStructuredStateValue("CommandText") ?? record.GetStructuredStateValue("BatchCommands") ?? $"{record.Id.Name}";
}
