using Microsoft.Extensions.DependencyInjection;
using Shadowing.Evidence;

namespace Shadowing.Tests;

/// <summary>The candidate beside itself: state that its runs share is found before a user meets it.</summary>
public sealed class OverlapTests
{
    private static readonly Dictionary<string, string?> Always = new() { ["OverlapPercent"] = "100", ["SelfTestInterval"] = "01:00:00" };

    [Fact]
    public async Task A_buffer_that_concurrent_calls_share_is_found_in_the_shadow()
    {
        string? shared = null;
        await using var engine = await new Engine(new(Always))
        {
            Control = (question, _) => Task.FromResult(new Answer(question.Text)),
            Candidate = async (question, _) =>
            {
                shared = question.Text;
                // Another run may begin here, as it may while a query is awaited.
                await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
                return new(shared);
            },
        }.StartAsync();
        for (var i = 0; i < 6; i++)
        {
            await engine.AskAsync($"question {i}");
            await engine.SettledAsync();
        }

        await Eventually.HoldsAsync(() => Found(engine));
        // One after the other they were right.
        Assert.Equal(6, engine.Status.Comparisons["match"]);
    }

    [Fact]
    public async Task A_context_that_refuses_a_second_call_at_once_is_found_in_the_shadow()
    {
        var running = 0;
        await using var engine = await new Engine(new(Always))
        {
            Candidate = async (_, _) =>
            {
                if (Interlocked.Increment(ref running) > 1)
                {
                    Interlocked.Decrement(ref running);
                    throw new InvalidOperationException("A second operation was started on this context instance.");
                }

                await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
                Interlocked.Decrement(ref running);
                return new("yes");
            },
        }.StartAsync();
        for (var i = 0; i < 6; i++)
        {
            await engine.AskAsync($"question {i}");
            await engine.SettledAsync();
        }

        await Eventually.HoldsAsync(() => Found(engine));
    }

    [Fact]
    public async Task A_right_candidate_is_never_accused()
    {
        await using var engine = await new Engine(new(Always))
        {
            Control = (question, _) => Task.FromResult(new Answer(question.Text)),
            Candidate = (question, _) => Task.FromResult(new Answer(question.Text)),
        }.StartAsync();
        for (var i = 0; i < 20; i++) await engine.AskAsync($"question {i}");
        await Eventually.HoldsAsync(() => engine.Opened.Count(opened => opened == "Candidate Shadow") >= 20 + (19 * 4));
        Assert.False(Found(engine));
        Assert.Equal(20, (await engine.SettledAsync()).Comparisons["match"]);
    }

    private bool _found;

    /// <summary>Whether a case is known in which the candidate is wrong.</summary>
    private bool Found(Engine engine)
    {
        var ledger = engine.Services.GetRequiredService<EvidenceLedger>();
        if (ledger.Take() is not { } batch) return _found;
        ledger.Stored(batch);
        return _found |= batch.Pages.Any(page => page.Set is CaseSet.Mismatch);
    }
}
