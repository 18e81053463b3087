using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Stores;

/// <summary>What came out of an operation's comparisons in one minute, on all replicas.</summary>
/// <param name="Undecided">Those that were incomparable, or that a concurrent change explains.</param>
public sealed record OutcomeMinute(string Operation, DateTimeOffset Minute, long Comparisons, long Differing, long Undecided);

/// <summary>Outcomes by minute, as they were read.</summary>
/// <param name="Latest">The minute of the reading, by the database's clock; more may be counted in it.</param>
public sealed record OutcomeMinutes(DateTimeOffset Latest, IReadOnlyList<OutcomeMinute> Minutes);

/// <summary>Reading what came out of comparisons over time.</summary>
public sealed partial class EvidenceStore
{
    /// <summary>Reads the outcomes of all operations, replicas and builds, minute by minute.</summary>
    /// <param name="since">The first minute; null for the last hour.</param>
    public async Task<OutcomeMinutes> OutcomesAsync(DateTimeOffset? since, CancellationToken cancellationToken)
    {
        await using var command = evidence.CreateCommand(
            """
            select t.minute, o.operation, o.minute, o.comparisons, o.differing, o.undecided
            from (select date_trunc('minute', now()) as minute) t left join shadow.traffic o
                on o.minute >= coalesce($1, t.minute - interval '59 minutes') and o.comparisons > 0
            """);
        command.Bind(since?.UtcDateTime);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var latest = default(DateTimeOffset);
        var minutes = new List<OutcomeMinute>();
        while (await reader.ReadAsync(cancellationToken))
        {
            latest = reader.GetFieldValue<DateTimeOffset>(0);
            if (reader.IsDBNull(1)) continue;
            minutes.Add(new(
                reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetInt64(3), reader.GetInt64(4), reader.GetInt64(5)));
        }

        return new(latest, minutes);
    }
}
