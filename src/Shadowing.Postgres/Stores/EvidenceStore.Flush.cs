using System.Collections;
using Npgsql;
using Shadowing.Evidence;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Stores;

/// <summary>Whether a batch was stored now, or had been stored before.</summary>
public enum FlushResult
{
    /// <summary>The batch is stored now.</summary>
    Written,

    /// <summary>The batch had been stored before, although the replica that sent it did not learn of that.</summary>
    Repeated,
}

/// <summary>Storing evidence: counts are added, cases are combined by OR, and each batch counts once.</summary>
public sealed partial class EvidenceStore
{
    /// <summary>
    /// Stores a batch, completely or not at all. Rows are locked in one order, so that replicas never deadlock.
    /// </summary>
    public async Task<FlushResult> FlushAsync(Guid instance, EvidenceBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        await using var connection = await evidence.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var claim = new NpgsqlCommand(
            """
            insert into shadow.flush (instance, sequence, requests, comparisons) values ($1, $2, $3, $4)
            on conflict (instance) do update
            set sequence = excluded.sequence, requests = excluded.requests, comparisons = excluded.comparisons, at = now()
            where flush.sequence < excluded.sequence
            """,
            connection, transaction);
        claim.Bind(instance, batch.Sequence, batch.Totals.Requests, batch.Totals.Comparisons);
        if (await claim.ExecuteNonQueryAsync(cancellationToken) == 0) return FlushResult.Repeated;

        await using var commands = new NpgsqlBatch(connection, transaction);
        AddCounts(commands, batch);
        AddPages(commands, batch);
        AddOperations(commands, instance, batch);
        if (commands.BatchCommands.Count > 0) await commands.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return FlushResult.Written;
    }

    /// <summary>
    /// Reports that the run is alive, also while there is nothing to store. A run that stops reporting and never left has ended uncleanly.
    /// </summary>
    public async Task BeatAsync(Guid instance, CancellationToken cancellationToken)
    {
        await using var command = evidence.CreateCommand(
            "insert into shadow.flush (instance, sequence) values ($1, 0) on conflict (instance) do update set at = now()");
        command.Bind(instance);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void AddCounts(NpgsqlBatch commands, EvidenceBatch batch)
    {
        ShapeBatch[] shapes = [.. batch.Shapes.OrderBy(shape => shape.Operation, StringComparer.Ordinal)
            .ThenBy(shape => shape.Shape, StringComparer.Ordinal)];
        if (shapes.Length == 0) return;
        Add(commands,
            """
            insert into shadow.evidence (fingerprint, operation, shape, requests, comparisons, differing, tolerated, transients,
                incomparable, shed, statement_trials, statements_more, epoch, doubtful, due, decided, wrong, with_rows, recent_comparisons,
                recent_doubtful)
            select $1, *, c - d, f
            from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
                as t(o, s, r, c, d, t, x, i, h, n, m, e, f, due, decided, wrong, rows)
            on conflict (fingerprint, operation, shape, epoch) do update set last_at = now(),
                requests = evidence.requests + excluded.requests, comparisons = evidence.comparisons + excluded.comparisons,
                differing = evidence.differing + excluded.differing, tolerated = evidence.tolerated + excluded.tolerated,
                transients = evidence.transients + excluded.transients, incomparable = evidence.incomparable + excluded.incomparable,
                shed = evidence.shed + excluded.shed, statement_trials = evidence.statement_trials + excluded.statement_trials,
                statements_more = evidence.statements_more + excluded.statements_more,
                doubtful = evidence.doubtful + excluded.doubtful, due = evidence.due + excluded.due,
                decided = evidence.decided + excluded.decided, wrong = evidence.wrong + excluded.wrong,
                with_rows = evidence.with_rows + excluded.with_rows,
                recent_comparisons = shadow.aged(evidence.recent_comparisons, evidence.last_at) + excluded.recent_comparisons,
                recent_doubtful = shadow.aged(evidence.recent_doubtful, evidence.last_at) + excluded.recent_doubtful
            """,
            batch.Fingerprint, Column(shape => shape.Operation), Column(shape => shape.Shape), Column(shape => shape.Counts.Requests),
            Column(shape => shape.Counts.Comparisons), Column(shape => shape.Counts.Differing), Column(shape => shape.Counts.Tolerated),
            Column(shape => shape.Counts.Transients), Column(shape => shape.Counts.Incomparable), Column(shape => shape.Counts.Shed),
            Column(shape => shape.Counts.StatementTrials), Column(shape => shape.Counts.StatementsMore), Column(shape => shape.Epoch),
            Column(shape => shape.Counts.Doubtful), Column(shape => shape.Counts.Due), Column(shape => shape.Counts.Decided),
            Column(shape => shape.Counts.Wrong), Column(shape => shape.Counts.WithRows));
        AddDoubt(commands, batch.Fingerprint, shapes);
        Add(commands,
            """
            insert into shadow.traffic (operation, minute, requests, comparisons, differing, undecided)
            select operation, date_trunc('minute', now()), sum(requests), sum(comparisons), sum(differing), sum(undecided)
            from unnest($1, $2, $3, $4, $5) as t(operation, requests, comparisons, differing, undecided)
            group by operation order by operation
            on conflict (operation, minute) do update set requests = traffic.requests + excluded.requests,
                comparisons = traffic.comparisons + excluded.comparisons, differing = traffic.differing + excluded.differing,
                undecided = traffic.undecided + excluded.undecided
            """,
            Column(shape => shape.Operation), Column(shape => shape.Counts.Requests), Column(shape => shape.Counts.Comparisons),
            Column(shape => shape.Counts.Differing), Column(shape => shape.Counts.Incomparable + shape.Counts.Transients));
        Add(commands,
            """
            insert into shadow.traffic_day (operation, day, requests)
            select operation, (now() at time zone 'UTC')::date, sum(requests) from unnest($1, $2) as t(operation, requests)
            group by operation having sum(requests) > 0 order by operation
            on conflict (operation, day) do update set requests = traffic_day.requests + excluded.requests, last_at = now()
            """,
            Column(shape => shape.Operation), Column(shape => shape.Counts.Requests));

        T[] Column<T>(Func<ShapeBatch, T> of) => [.. shapes.Select(of)];
    }

    private static void AddDoubt(NpgsqlBatch commands, string fingerprint, ShapeBatch[] shapes)
    {
        var doubts = shapes.SelectMany(shape => shape.DoubtByUser.OrderBy(doubt => doubt.Key), (shape, doubt) => (shape, doubt)).ToArray();
        if (doubts.Length == 0) return;
        Add(commands,
            """
            insert into shadow.doubt (fingerprint, operation, shape, epoch, bucket, doubtful) select $1, * from unnest($2, $3, $4, $5, $6)
            on conflict (fingerprint, operation, shape, epoch, bucket) do update
            set doubtful = shadow.aged(doubt.doubtful, doubt.last_at) + excluded.doubtful, last_at = now()
            """,
            fingerprint, Column(one => one.shape.Operation), Column(one => one.shape.Shape), Column(one => one.shape.Epoch),
            Column(one => one.doubt.Key), Column(one => (double)one.doubt.Value));

        T[] Column<T>(Func<(ShapeBatch shape, KeyValuePair<int, long> doubt), T> of) => [.. doubts.Select(of)];
    }

    internal static void AddPages(NpgsqlBatch commands, EvidenceBatch batch)
    {
        PageBatch[] pages =
        [
            .. batch.Pages.OrderBy(page => page.Operation, StringComparer.Ordinal).ThenBy(page => page.Shape ?? "", StringComparer.Ordinal)
                .ThenBy(page => page.Set).ThenBy(page => page.Page.Number),
        ];
        if (pages.Length == 0) return;
        Add(commands,
            """
            insert into shadow.evidence_page (fingerprint, operation, shape, epoch, kind, page, bits)
            select $1, operation, shape, epoch, kind, page, bits::bit(4096)
            from unnest($2, $3, $4, $5, $6, $7) as t(operation, shape, epoch, kind, page, bits)
            on conflict (fingerprint, operation, shape, epoch, kind, page) do update set bits = evidence_page.bits | excluded.bits, last_at
                = now()
            """,
            batch.Fingerprint, Column(page => page.Operation), Column(page => page.Shape ?? ""), Column(page => page.Epoch),
            Column(page => Name(page.Set)),
            Column(page => page.Page.Number), Column(page => new BitArray(page.Page.Bytes.ToArray())));

        T[] Column<T>(Func<PageBatch, T> of) => [.. pages.Select(of)];
    }

    private static void AddOperations(NpgsqlBatch commands, Guid instance, EvidenceBatch batch)
    {
        foreach (var operation in batch.Operations.OrderBy(operation => operation.Operation, StringComparer.Ordinal))
        {
            if (operation.Unproven.Requests > 0)
            {
                Add(commands,
                    """
                    insert into shadow.unproven (fingerprint, operation, epoch, unproven, requests) values ($1, $2, $3, $4, $5)
                    on conflict (fingerprint, operation, epoch) do update
                    set unproven = unproven.unproven + excluded.unproven, requests = unproven.requests + excluded.requests
                    """,
                    batch.Fingerprint, operation.Operation, operation.UnprovenEpoch, operation.Unproven.Unproven,
                    operation.Unproven.Requests);
            }

            if (operation.Sample is { } sample)
            {
                Add(commands,
                    """
                    insert into shadow.sample (fingerprint, operation, epoch, cases_by_user, requests_by_user, due_by_duration,
                        decided_by_duration, tries, candidate_flakes, control_flakes)
                    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                    on conflict (fingerprint, operation, epoch) do update set last_at = now(),
                        cases_by_user = shadow.add_each(sample.cases_by_user, excluded.cases_by_user),
                        requests_by_user = shadow.add_each(sample.requests_by_user, excluded.requests_by_user),
                        due_by_duration = shadow.add_each(sample.due_by_duration, excluded.due_by_duration),
                        decided_by_duration = shadow.add_each(sample.decided_by_duration, excluded.decided_by_duration),
                        tries = sample.tries + excluded.tries, candidate_flakes = sample.candidate_flakes + excluded.candidate_flakes,
                        control_flakes = sample.control_flakes + excluded.control_flakes
                    """,
                    batch.Fingerprint, operation.Operation, sample.Epoch, sample.CasesByUser.ToArray(), sample.RequestsByUser.ToArray(),
                    sample.DueByDuration.ToArray(), sample.DecidedByDuration.ToArray(), sample.Tries, sample.CandidateFlakes,
                    sample.ControlFlakes);
            }

            if (operation.Served > 0)
            {
                Add(commands,
                    """
                    insert into shadow.served_minute (fingerprint, operation, minute, served, failed)
                    values ($1, $2, date_trunc('minute', now()), $3, $4)
                    on conflict (fingerprint, operation, minute) do update
                    set served = served_minute.served + excluded.served, failed = served_minute.failed + excluded.failed
                    """,
                    batch.Fingerprint, operation.Operation, operation.Served, operation.Failed);
            }

            AddLatency(commands, instance, batch.Fingerprint, operation);
        }
    }

    private static void Add(NpgsqlBatch commands, string sql, params object[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Bind(values);
        commands.BatchCommands.Add(command);
    }

    internal static string Name(CaseSet set) => set switch
    {
        CaseSet.All => "all",
        CaseSet.Live => "live",
        CaseSet.Busy => "busy",
        _ => "mismatch",
    };
}
