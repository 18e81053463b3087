namespace Shadowing.Tests.Writing;

/// <summary>The candidate writes for users: when the control does it instead, when nobody may, and what is kept of it.</summary>
public sealed class ServedWriteTests
{
    [Fact]
    public async Task The_candidates_write_is_the_real_one_and_the_controls_runs_in_the_sandbox()
    {
        await using var engine = await new ShelfEngine().StartServingAsync();
        await engine.PutAsync();
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["match"]);
        Assert.Equal(["Candidate served", "committed", "Control in the sandbox"], engine.Happened.Take(3));
        Assert.Equal(["in_flight", "written", "match"], await VerdictsAsync(engine, 3));
    }

    [Fact]
    public async Task A_wrong_write_takes_the_candidate_back_at_once()
    {
        await using var engine = await new ShelfEngine { Candidate = (shelf, put, _) => Task.FromResult(shelf.Store(put.Key, put.Text + "!")) }.StartServingAsync();
        await engine.PutAsync();
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["mismatch"]);
        await Eventually.HoldsAsync(() => engine.Status.EffectiveServePercent == 0);
        await engine.PutAsync("again");
        await engine.SettledAsync();
        Assert.Contains("\"again\"", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_write_that_fails_and_is_undone_is_done_by_the_control()
    {
        await using var engine = await new ShelfEngine
        {
            Candidate = (shelf, put, _) =>
            {
                shelf.Store(put.Key, "half of it");
                throw new InvalidOperationException("candidate");
            },
        }.StartServingAsync();
        await engine.PutAsync();
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["candidate_error"]);
        Assert.DoesNotContain("committed", engine.Happened);
        Assert.Contains("new", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
        Assert.Contains("not_written", await VerdictsAsync(engine, 2));
    }

    [Fact]
    public async Task A_commit_that_was_refused_is_undone_and_the_control_writes()
    {
        await using var engine = await new ShelfEngine { CommitFails = new InvalidOperationException("deferred"), FailedCommitIsUndone = true }.StartServingAsync();
        await engine.PutAsync();
        Assert.Contains("new", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_commit_of_which_nobody_knows_surfaces_and_is_not_done_again()
    {
        var failure = new DatabaseGoneException();
        await using var engine = await new ShelfEngine { CommitFails = failure }.StartServingAsync();
        Assert.Same(failure, await Assert.ThrowsAsync<DatabaseGoneException>(() => engine.PutAsync()));
        Assert.Contains("old", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
        Assert.Contains("commit_unknown", await VerdictsAsync(engine, 2));
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["incomparable"]);
        // No word about the candidate: it goes on serving.
        Assert.Equal(100, engine.Status.EffectiveServePercent);
    }

    [Fact]
    public async Task A_write_past_its_deadline_is_cancelled_and_done_by_the_control()
    {
        await using var engine = await new ShelfEngine(("CandidateDeadline", "00:00:00.020"))
        {
            Candidate = async (shelf, put, token) =>
            {
                await Task.Delay(Timeout.Infinite, token);
                return shelf.Store(put.Key, "late");
            },
        }.StartServingAsync();
        await engine.PutAsync();
        Assert.Contains("new", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
        Assert.DoesNotContain("abandoned", engine.Happened);
    }

    [Fact]
    public async Task A_write_that_will_not_end_is_cut_off_and_can_never_be_committed()
    {
        using var release = new ManualResetEventSlim();
        await using var engine = await new ShelfEngine(("CandidateDeadline", "00:00:00.020"), ("CancelGrace", "00:00:00.010"), ("MaxAbandoned", "1"))
        {
            Candidate = (shelf, put, _) =>
            {
                release.Wait(TestContext.Current.CancellationToken);
                return Task.FromResult(shelf.Store(put.Key, "late"));
            },
        }.StartServingAsync();
        await engine.PutAsync();
        Assert.Contains("abandoned", engine.Happened);
        Assert.Contains("new", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);

        // As long as it hangs no other write is given to the candidate.
        await engine.PutAsync("second");
        Assert.Equal(1, engine.Happened.Count(what => what == "Candidate served"));
        release.Set();
        await engine.SettledAsync();
        Assert.Contains("second", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
        Assert.DoesNotContain("late", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_late_write_that_answers_its_cancellation_with_a_failure_of_its_own_is_late_and_nothing_else()
    {
        await using var engine = await new ShelfEngine(("CandidateDeadline", "00:00:00.020"), ("CancelGrace", "00:00:10"))
        {
            Candidate = async (shelf, put, token) =>
            {
                try
                {
                    await Task.Delay(Timeout.Infinite, token);
                }
                catch (OperationCanceledException)
                {
                    throw new InvalidOperationException("Disposed meanwhile.");
                }

                return shelf.Store(put.Key, "late");
            },
        }.StartServingAsync();
        await engine.PutAsync();
        Assert.Contains("new", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
        Assert.DoesNotContain("abandoned", engine.Happened);
        Assert.Contains("not_written", await VerdictsAsync(engine, 2));
    }

    [Fact]
    public async Task A_write_whose_session_cannot_be_ended_either_is_done_by_the_control_all_the_same()
    {
        using var release = new ManualResetEventSlim();
        await using var engine = await new ShelfEngine(("CandidateDeadline", "00:00:00.020"), ("CancelGrace", "00:00:00.010"))
        {
            AbandonFails = new DatabaseGoneException(),
            Candidate = (shelf, put, _) =>
            {
                release.Wait(TestContext.Current.CancellationToken);
                return Task.FromResult(shelf.Store(put.Key, "late"));
            },
        }.StartServingAsync();
        await engine.PutAsync();
        Assert.Contains("abandoned", engine.Happened);
        Assert.Contains("new", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
        release.Set();
        await engine.SettledAsync();
        Assert.DoesNotContain("late", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_write_that_hangs_is_cut_off_though_its_caller_has_gone()
    {
        using var gone = new CancellationTokenSource();
        using var release = new ManualResetEventSlim();
        await using var engine = await new ShelfEngine(("CandidateDeadline", "00:00:10"), ("CancelGrace", "00:00:00.010"), ("MaxAbandoned", "1"))
        {
            Candidate = (shelf, put, _) =>
            {
                gone.Cancel();
                release.Wait(TestContext.Current.CancellationToken);
                return Task.FromResult(shelf.Store(put.Key, "late"));
            },
        }.StartServingAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => engine.PutAsync(cancellation: gone.Token));
        Assert.Contains("abandoned", engine.Happened);
        await engine.PutAsync("second");
        Assert.Equal(1, engine.Happened.Count(what => what == "Candidate served"));
        release.Set();
        await engine.SettledAsync();
        Assert.Contains("second", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_candidate_did_to_rows_that_others_wrote_meanwhile_accuses_nobody()
    {
        var calls = 0;
        await using var engine = await new ShelfEngine
        {
            // As where the row of somebody else, which no write locks, was changed between the image and the write.
            Candidate = (shelf, put, _) => Task.FromResult(shelf.Store(put.Key, calls++ == 0 ? "as of a moment later" : put.Text)),
        }.StartServingAsync();
        await engine.PutAsync();
        var status = await engine.SettledAsync();
        Assert.Equal((1, 0), (status.Comparisons["incomparable"], status.Comparisons["mismatch"]));
        Assert.Empty(engine.Mismatches.Read());
        Assert.Equal(100, status.EffectiveServePercent);
    }

    [Fact]
    public async Task What_it_did_to_rows_that_nobody_else_could_write_counts_though_it_is_right_the_next_time()
    {
        var calls = 0;
        await using var engine = await new ShelfEngine
        {
            RowsAreLocked = true,
            Candidate = (shelf, put, _) => Task.FromResult(shelf.Store(put.Key, calls++ == 0 ? "wrong" : put.Text)),
        }.StartServingAsync();
        await engine.PutAsync();
        var status = await engine.SettledAsync();
        Assert.Equal(("rows.shelf[*].text", "concurrency"), status.Mismatches.Select(mismatch => (mismatch.Path, mismatch.Kind)).Single());
        await Eventually.HoldsAsync(() => engine.Status.EffectiveServePercent == 0);
    }

    [Fact]
    public async Task A_row_that_it_made_once_and_not_again_counts_too()
    {
        var calls = 0;
        await using var engine = await new ShelfEngine
        {
            Candidate = (shelf, put, _) =>
            {
                if (calls++ == 0) shelf.Store(99, "nobody asked for it");
                return Task.FromResult(shelf.Store(put.Key, put.Text));
            },
        }.StartServingAsync();
        await engine.PutAsync();
        Assert.Equal("rows.shelf[*]", (await engine.SettledAsync()).Mismatches.Single().Path);
    }

    [Fact]
    public async Task A_write_that_is_taken_from_the_candidate_while_it_waits_for_its_rows_is_the_controls()
    {
        await using var engine = await new ShelfEngine().StartServingAsync();
        engine.WhileItWaits = () =>
        {
            engine.WhileItWaits = static () => { };
            engine.StopServing();
        };
        await engine.PutAsync();
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["match"]);
        Assert.Equal(["Candidate served", "Control served", "committed", "Candidate in the sandbox"], engine.Happened.Take(4));
        Assert.Equal(["in_flight", "not_written"], await VerdictsAsync(engine, 2));
        Assert.Contains("new", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
    }

    [Fact]
    public async Task To_read_the_rows_afterwards_is_no_time_of_the_candidates()
    {
        var reading = new TaskCompletionSource();
        await using var engine = await new ShelfEngine(("CandidateDeadline", "00:00:00.050")) { Reading = reading.Task }.StartServingAsync();
        var writing = engine.PutAsync();
        // Past the deadline by any reckoning.
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, TestContext.Current.CancellationToken);
        reading.SetResult();
        await writing;
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["match"]);
        Assert.Contains("written", await VerdictsAsync(engine, 2));
    }

    [Fact]
    public async Task Writes_that_are_late_where_the_control_is_as_slow_roll_nothing_back()
    {
        var asked = 0L;
        // The control does not listen to its limit in the shadow, and is given up there: that is not what this is about.
        await using var engine = await new ShelfEngine(
            ("CandidateDeadline", "00:00:00.020"), ("ShadowTimeout", "00:00:00.020"), ("MaxAbandoned", "16"))
        {
            Candidate = async (_, _, token) =>
            {
                await Task.Delay(Timeout.Infinite, token);
                throw new InvalidOperationException("It is cancelled.");
            },
            Control = async (shelf, put, _) =>
            {
                // Longer than the candidate can have taken, which has ended by now: as long again as all that passed since the request. And in the
                // shadow, where another request may have come by now, longer than the limit.
                var began = TimeProvider.System.GetTimestamp();
                var passed = TimeProvider.System.GetElapsedTime(Volatile.Read(ref asked), began) + TimeSpan.FromMilliseconds(500);
                while (TimeProvider.System.GetElapsedTime(began) <= passed)
                    await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, CancellationToken.None);
                return shelf.Store(put.Key, put.Text);
            },
        }.StartServingAsync();
        for (var i = 0; i < 4; i++)
        {
            Volatile.Write(ref asked, TimeProvider.System.GetTimestamp());
            await engine.PutAsync($"{i}");
        }

        Assert.Equal(4, engine.Happened.Count(what => what == "Candidate served"));
        Assert.Equal(0, engine.Evidence.Take()?.Operations.Sum(operation => operation.Failed) ?? 0);
    }

    [Fact]
    public async Task A_control_that_is_too_slow_in_the_sandbox_accuses_nobody_of_a_refusal()
    {
        var real = new ShelfEngine(("ShadowTimeout", "00:00:00.050")) { Candidate = (_, _, _) => throw new InvalidOperationException("no") };
        real.Control = async (shelf, _, token) =>
        {
            // For the user it refuses as well; in the sandbox, on copies of the rows, it never gets as far. Either may be asked first.
            if (!ReferenceEquals(shelf.Rows, real.Rows)) await Task.Delay(Timeout.Infinite, token);
            throw new InvalidOperationException("no");
        };
        await using var engine = await real.StartServingAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => engine.PutAsync());
        var status = await engine.SettledAsync();
        Assert.Equal((1, 0), (status.Comparisons["incomparable"], status.Comparisons["mismatch"]));
        Assert.Equal(100, status.EffectiveServePercent);
    }

    [Fact]
    public async Task While_somebody_holds_the_rows_the_control_writes_and_the_candidate_is_not_to_blame()
    {
        await using var engine = await new ShelfEngine { RowsAreHeld = true }.StartServingAsync();
        for (var i = 0; i < 5; i++) await engine.PutAsync();
        var status = await engine.SettledAsync();
        Assert.Equal(5, status.Skips["sandbox_unavailable"]);
        Assert.Equal(100, status.EffectiveServePercent);
        Assert.Equal(0, engine.Evidence.Take()?.Operations.Sum(operation => operation.Served) ?? 0);
        Assert.Contains("new", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
        Assert.Contains("not_written", await VerdictsAsync(engine, 10));
    }

    [Fact]
    public async Task A_candidate_that_fails_after_it_ended_the_transaction_itself_is_not_done_again()
    {
        var failure = new InvalidOperationException("candidate");
        await using var engine = await new ShelfEngine { IsEndedBySide = true, Candidate = (_, _, _) => throw failure }.StartServingAsync();
        Assert.Same(failure, await Assert.ThrowsAsync<InvalidOperationException>(() => engine.PutAsync()));
        Assert.Contains("old", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
        Assert.Contains("commit_unknown", await VerdictsAsync(engine, 2));
    }

    [Fact]
    public async Task A_write_in_flight_is_listed_until_it_ends()
    {
        var begun = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await using var engine = await new ShelfEngine
        {
            Candidate = async (shelf, put, _) =>
            {
                begun.TrySetResult();
                await release.Task;
                return shelf.Store(put.Key, put.Text);
            },
        }.StartServingAsync();
        var writing = engine.PutAsync();
        await begun.Task;
        Assert.Equal("any", Assert.Single(engine.Report.WritesInFlight()[ShelfEngine.Put.Operation]).Shape);
        Assert.Equal(1, engine.Report.Serving()[ShelfEngine.Put.Operation]);
        release.SetResult();
        await writing;
        Assert.Empty(engine.Report.WritesInFlight()[ShelfEngine.Put.Operation]);
    }

    [Fact]
    public async Task Without_a_sandbox_the_candidate_writes_for_nobody()
    {
        await using var engine = await new ShelfEngine().StartServingAsync();
        engine.Switch.HasSandbox = false;
        await engine.PutAsync();
        Assert.DoesNotContain("Candidate served", engine.Happened);
        Assert.Contains("new", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
    }

    private static async Task<List<string>> VerdictsAsync(ShelfEngine engine, int count)
    {
        var found = new List<string>();
        await Eventually.HoldsAsync(() =>
        {
            found.AddRange(engine.Served.Take().Verdicts.Select(verdict => verdict.Verdict));
            return found.Count >= count;
        });
        return found;
    }
}
