using System.Net.Sockets;
using Npgsql;
using Shadowing.Postgres.Statements;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>A lost database says nothing of the candidate; everything else does, and must not pass for one.</summary>
public sealed class PostgresErrorsTests
{
    [Fact]
    public void A_lost_connection_and_an_exhausted_pool_say_nothing_of_the_code()
    {
        Assert.True(PostgresErrors.Categorize(new NpgsqlException("lost", new SocketException())).IsUnavailable);
        Assert.True(PostgresErrors.Categorize(new NpgsqlException("exhausted", new TimeoutException())).IsUnavailable);
        Assert.True(PostgresErrors.Categorize(new InvalidOperationException("wrapped", new NpgsqlException("lost", new IOException()))).IsUnavailable);
    }

    [Theory]
    [InlineData("57P01", true)]
    [InlineData("53300", true)]
    [InlineData("28000", true)]
    [InlineData("42501", false)]
    [InlineData("57014", false)]
    [InlineData("42703", false)]
    public void A_refusal_is_named_by_its_sqlstate(string state, bool isUnavailable) =>
        Assert.Equal(
            new(state, isUnavailable),
            PostgresErrors.Categorize(new InvalidOperationException("wrapped", new PostgresException("", "", "", state))) with { OnlyHere = null });

    [Fact]
    public void A_connection_misused_by_the_code_is_the_codes_own_fault() =>
        Assert.Equal(new("NpgsqlException", false), PostgresErrors.Categorize(new NpgsqlException("A command is already in progress")));

    [Theory]
    [InlineData("RevalidateCachedQuery", true)]
    [InlineData("transformFrameOffset", false)]
    public void An_outdated_plan_is_told_from_a_statement_that_PostgreSQL_cannot_do_by_where_it_was_refused(string routine, bool isOutdated)
    {
        var refused = new PostgresException("übersetzt", "FEHLER", "ERROR", "0A000", routine: routine);
        Assert.Equal(new("0A000", false, isOutdated), PostgresErrors.Categorize(new InvalidOperationException("wrapped", refused)));
        Assert.Equal(isOutdated, PostgresErrors.IsOutdatedPlan(new InvalidOperationException("wrapped", refused)));
    }
}
