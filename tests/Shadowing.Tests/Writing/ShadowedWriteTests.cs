using Shadowing.Evidence;
using Shadowing.Writing;

namespace Shadowing.Tests.Writing;

/// <summary>The control writes, the candidate does so in the sandbox: what is compared, and what the caller notices of it.</summary>
public sealed class ShadowedWriteTests
{
    [Fact]
    public async Task The_candidate_runs_in_the_sandbox_once_the_write_is_committed()
    {
        await using var engine = await new ShelfEngine().StartAsync();
        await engine.PutAsync();
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["match"]);
        Assert.Equal(["Control served", "committed", "Candidate in the sandbox"], engine.Happened.Take(3));
        Assert.Contains("new", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stored", "rows.shelf[*].text", "value")]
    [InlineData("clock", "rows.shelf[*].at", "value")]
    [InlineData("elsewhere", "rows.shelf[*]", "extra_row")]
    [InlineData("nowhere", "rows.shelf[*].text", "value")]
    public async Task What_is_stored_is_compared_though_the_answers_are_equal(string fault, string path, string kind)
    {
        await using var engine = await new ShelfEngine
        {
            Candidate = (shelf, put, _) => Task.FromResult(fault switch
            {
                "stored" => shelf.Store(put.Key, put.Text + "!"),
                // A microsecond off: nearly the transaction's own time is not it.
                "clock" => shelf.Store(put.Key, put.Text, Shelf.Text(shelf.Now.AddMicroseconds(1))),
                "elsewhere" => shelf.Store(put.Key + 1, put.Text) with { Key = shelf.Store(put.Key, put.Text).Key },
                _ => new PutAnswer(put.Key, shelf.Now),
            }),
        }.StartAsync();
        await engine.PutAsync();
        var status = await engine.SettledAsync();
        Assert.Equal(1, status.Comparisons["mismatch"]);
        Assert.Contains(status.Mismatches, mismatch => mismatch.Path == path && mismatch.Kind == kind);
        Assert.Equal("critical", Assert.Single(engine.Mismatches.Read()).Severity);
    }

    [Fact]
    public async Task Times_of_two_transactions_are_equal_where_each_is_its_own()
    {
        await using var engine = await new ShelfEngine
        {
            Candidate = (shelf, put, _) => Task.FromResult(shelf.Store(put.Key, put.Text) with { At = shelf.Now.AddTicks(3) }),
        }.StartAsync();
        await engine.PutAsync();
        // The rows are equal; the answer is not what was stored, by less than a microsecond.
        var status = await engine.SettledAsync();
        Assert.Equal(("at", "value"), status.Mismatches.Select(mismatch => (mismatch.Path, mismatch.Kind)).Single());
        var group = Assert.Single(engine.Mismatches.Read());
        Assert.Equal(("normal", "echoed_entity"), (group.Severity, group.Diagnosis.Cause));
    }

    [Fact]
    public async Task A_write_that_both_refuse_alike_is_a_match_and_the_caller_sees_the_controls_refusal()
    {
        var refusal = new InvalidOperationException("no");
        await using var engine = await new ShelfEngine { Control = (_, _, _) => throw refusal, Candidate = (_, _, _) => throw new InvalidOperationException("no") }.StartAsync();
        Assert.Same(refusal, await Assert.ThrowsAsync<InvalidOperationException>(() => engine.PutAsync()));
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["match"]);
        Assert.DoesNotContain("committed", engine.Happened);
    }

    [Fact]
    public async Task What_the_control_refuses_and_the_candidate_stores_is_a_mismatch()
    {
        await using var engine = await new ShelfEngine { Control = (_, _, _) => throw new InvalidOperationException("no") }.StartAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => engine.PutAsync());
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["mismatch"]);
        Assert.Equal("accepted_what_is_refused", Assert.Single(engine.Mismatches.Read()).Diagnosis.Cause);
    }

    [Fact]
    public async Task A_refusal_that_the_control_cannot_repeat_is_not_the_candidates_fault()
    {
        var calls = 0;
        await using var engine = await new ShelfEngine
        {
            Control = (shelf, put, _) => calls++ == 0 ? throw new InvalidOperationException("deadlock") : Task.FromResult(shelf.Store(put.Key, put.Text)),
        }.StartAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => engine.PutAsync());
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["control_error"]);
    }

    [Fact]
    public async Task A_control_that_does_something_else_on_the_same_rows_decides_nothing()
    {
        var calls = 0;
        await using var engine = await new ShelfEngine
        {
            Control = (shelf, put, _) => Task.FromResult(shelf.Store(put.Key, put.Text + calls++)),
        }.StartAsync();
        await engine.PutAsync();
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["incomparable"]);
        Assert.Empty(engine.Mismatches.Read());
    }

    [Fact]
    public async Task A_candidate_that_is_wrong_once_and_right_again_has_a_race_with_itself()
    {
        var calls = 0;
        await using var engine = await new ShelfEngine
        {
            Candidate = (shelf, put, _) => Task.FromResult(shelf.Store(put.Key, calls++ == 0 ? "wrong" : put.Text)),
        }.StartAsync();
        await engine.PutAsync();
        Assert.Equal("concurrency", (await engine.SettledAsync()).Mismatches.Single().Kind);
    }

    [Fact]
    public async Task Without_images_the_write_is_done_and_not_compared()
    {
        await using var engine = await new ShelfEngine { ImagesFail = true }.StartAsync();
        await engine.PutAsync();
        Assert.Equal(1, (await engine.SettledAsync()).Skips["sandbox_unavailable"]);
        Assert.Contains("committed", engine.Happened);
    }

    [Fact]
    public async Task A_write_that_concerns_too_many_rows_is_done_and_never_a_match()
    {
        await using var engine = await new ShelfEngine { ImagesAreTooLarge = true }.StartAsync();
        await engine.PutAsync();
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["incomparable"]);
        Assert.DoesNotContain("Candidate in the sandbox", engine.Happened);
        // The gate is to know how much of what it is asked about cannot be compared.
        Assert.Equal(1, engine.Evidence.Take()!.Shapes.Single().Counts.Incomparable);
    }

    [Fact]
    public async Task Writes_whose_rows_would_take_up_too_much_memory_while_they_wait_are_shed()
    {
        await using var engine = new ShelfEngine(("QueueBytes", "1048576"));
        engine.Rows[Shelf.Row(2)] = $$"""{"id": 2, "text": "{{new string('a', 300_000)}}"}""";
        // Nobody takes them from the lane: of two times 600 kB one fits.
        await engine.PutAsync();
        await engine.PutAsync();
        Assert.Equal((1, 1), (engine.Status.Queued, engine.Status.Skips["queue_full"]));
        await engine.StartAsync();
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["match"]);
        await engine.PutAsync("room again");
        Assert.Equal(2, (await engine.SettledAsync()).Comparisons["match"]);
    }

    [Fact]
    public async Task A_sandbox_that_is_not_what_it_must_be_runs_nothing()
    {
        await using var engine = await new ShelfEngine { SandboxFails = new SandboxUnsafeException("unsafe") }.StartAsync();
        await engine.PutAsync();
        Assert.Equal(1, (await engine.SettledAsync()).Skips["sandbox_unavailable"]);
    }

    [Fact]
    public async Task While_there_is_no_sandbox_a_write_is_left_alone()
    {
        await using var engine = await new ShelfEngine().StartAsync();
        engine.Switch.HasSandbox = false;
        await engine.PutAsync();
        Assert.Equal(1, (await engine.SettledAsync()).Skips["sandbox_unavailable"]);
        Assert.Empty(engine.Happened);
    }

    [Fact]
    public async Task A_failure_to_commit_reaches_the_caller_as_it_is()
    {
        var failure = new DatabaseGoneException();
        await using var engine = await new ShelfEngine { CommitFails = failure }.StartAsync();
        Assert.Same(failure, await Assert.ThrowsAsync<DatabaseGoneException>(() => engine.PutAsync()));
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["control_error"]);
    }

    [Fact]
    public async Task A_control_that_gets_over_a_failure_is_asked_again_without_a_transaction_around_it()
    {
        await using var engine = await new ShelfEngine { CommitFails = new WriteUndoneException(new InvalidOperationException()), FailedCommitIsUndone = true }.StartAsync();
        await engine.PutAsync();
        Assert.Equal(1, (await engine.SettledAsync()).Skips["unsafe_write"]);
        Assert.Contains("new", engine.Rows[Shelf.Row(1)], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_write_that_its_caller_gave_up_on_is_neither_stored_nor_compared()
    {
        using var gone = new CancellationTokenSource();
        await using var engine = await new ShelfEngine
        {
            Control = async (_, _, token) =>
            {
                await gone.CancelAsync();
                token.ThrowIfCancellationRequested();
                throw new InvalidOperationException("It is cancelled.");
            },
        }.StartAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => engine.PutAsync(cancellation: gone.Token));
        Assert.Equal(1, (await engine.SettledAsync()).Skips["cancelled"]);
        Assert.DoesNotContain("committed", engine.Happened);
    }

    [Fact]
    public async Task The_same_write_on_the_same_rows_is_one_case_whatever_the_clock_says()
    {
        await using var engine = await new ShelfEngine().StartAsync();
        engine.Evidence.Begin(ShelfEngine.Fingerprint);
        foreach (var text in (string[])["again", "again", "again", "again", "new"])
        {
            await engine.PutAsync(text);
            await engine.SettledAsync();
        }

        // The first finds another text, the second its own and an older time, and so do the next two.
        var cases = CaseBitmap.ForOperation();
        foreach (var page in engine.Evidence.Take()!.Pages.Where(page => page.Shape is null && page.Set == CaseSet.All)) cases.MergeStored(page.Page);
        Assert.Equal(3, cases.Occupied);
    }
}
