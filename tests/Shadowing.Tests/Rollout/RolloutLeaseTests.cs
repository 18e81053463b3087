using Microsoft.Extensions.Time.Testing;
using Shadowing.Model;
using Shadowing.Rollout;
using static Shadowing.Tests.Rollout.RolloutRulesTests;

namespace Shadowing.Tests.Rollout;

public sealed class RolloutLeaseTests : IDisposable
{
    private static readonly Dictionary<string, string> Readable = [];
    private readonly FakeTimeProvider _clock = new();
    private readonly RolloutLease _lease;

    public RolloutLeaseTests() => _lease = new(_clock);

    private bool Serves => _clock.GetTimestamp() < _lease.ServesUntil && _lease.StateOf("tickets.list") is { Stage.Serves: true, IsHeld: false };

    public void Dispose() => _lease.Dispose();

    [Fact]
    public void Nothing_is_served_before_the_store_has_spoken()
    {
        Assert.False(Serves);
        Assert.False(_lease.IsKnown);
        Confirm(1, Stage.Full);
        Assert.True(Serves);
    }

    [Fact]
    public void A_lease_runs_from_the_moment_of_asking_not_of_the_answer()
    {
        var asked = _clock.GetTimestamp();
        _clock.Advance(TimeSpan.FromSeconds(2.9));
        _lease.Confirm(asked, [At(Stage.Full) with { Generation = 1 }], Readable);
        Assert.True(Serves);
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.False(Serves);
    }

    [Fact]
    public void No_jump_of_the_wall_clock_lengthens_or_shortens_a_lease()
    {
        var jumping = new JumpingClock(_clock);
        using var lease = new RolloutLease(jumping);
        lease.Confirm(jumping.GetTimestamp(), [At(Stage.Full)], Readable);
        foreach (var jump in new[] { -1, 1 })
        {
            jumping.Jump = TimeSpan.FromDays(jump);
            _clock.Advance(TimeSpan.FromSeconds(1.4));
            Assert.True(jumping.GetTimestamp() < lease.ServesUntil);
        }

        _clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.False(jumping.GetTimestamp() < lease.ServesUntil);
    }

    [Fact]
    public void Who_lost_the_lease_serves_again_only_after_the_store_has_answered_steadily()
    {
        Confirm(1, Stage.Full);
        _clock.Advance(RolloutLease.Length + TimeSpan.FromSeconds(1));
        for (var second = 0; second < 10; second++)
        {
            Confirm(1, Stage.Full);
            Assert.False(Serves);
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        Confirm(1, Stage.Full);
        Assert.True(Serves);
    }

    [Fact]
    public void A_rollback_here_holds_until_the_store_has_it_whatever_the_store_says_meanwhile()
    {
        Confirm(1, Stage.Full);
        Assert.True(_lease.RollBack("tickets.list", "wrong"));
        Assert.False(_lease.RollBack("tickets.list", "wrong again"));
        Assert.False(Serves);
        Confirm(2, Stage.Complete);
        Assert.False(Serves);
        Assert.Equal("wrong", _lease.Pending.Single().Reason);
        _lease.Published("tickets.list", 3);
        Assert.Empty(_lease.Pending);
        Confirm(2, Stage.Complete);
        Assert.False(Serves);
        _lease.Confirm(_clock.GetTimestamp(), [At(Stage.Shadow) with { Generation = 3, HeldBecause = "wrong" }], Readable);
        Assert.False(Serves);
        Confirm(5, Stage.Ladder[4]);
        Assert.True(Serves);
    }

    [Fact]
    public void An_answer_that_was_overtaken_by_a_later_one_is_not_taken_over()
    {
        var early = _clock.GetTimestamp();
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        Confirm(2, Stage.Shadow);
        _lease.Confirm(early, [At(Stage.Full) with { Generation = 3 }], Readable);
        Assert.False(Serves);
    }

    [Fact]
    public void What_was_read_before_ones_own_change_is_not_taken_for_a_fault()
    {
        Confirm(1, Stage.Shadow);
        var asked = _clock.GetTimestamp();
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        _lease.Learn(At(Stage.Full) with { Generation = 2 });
        Assert.True(Serves);
        _lease.Confirm(asked, [At(Stage.Shadow) with { Generation = 1 }], Readable);
        Assert.True(Serves);
        Assert.Empty(_lease.Pending);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(2)]
    public void A_state_that_cannot_be_is_refused_and_rolls_back(long generation)
    {
        Confirm(2, Stage.Ladder[4]);
        _lease.Confirm(_clock.GetTimestamp(), [At(Stage.Full) with { Generation = generation }], Readable);
        Assert.False(Serves);
        Assert.Single(_lease.Refused);
        Assert.Single(_lease.Pending);
    }

    [Fact]
    public void A_row_that_nobody_can_read_rolls_back()
    {
        Confirm(2, Stage.Full);
        _lease.Confirm(_clock.GetTimestamp(), [], new Dictionary<string, string> { ["tickets.list"] = "no such stage" });
        Assert.False(Serves);
        Assert.Single(_lease.Pending);
    }

    private void Confirm(long generation, Stage stage) => _lease.Confirm(_clock.GetTimestamp(), [At(stage) with { Generation = generation }], Readable);

    /// <summary>A wall clock that jumps over a monotonic one that does not.</summary>
    private sealed class JumpingClock(TimeProvider monotonic) : TimeProvider
    {
        public TimeSpan Jump { get; set; }

        public override long TimestampFrequency => monotonic.TimestampFrequency;

        public override long GetTimestamp() => monotonic.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => monotonic.GetUtcNow() + Jump;
    }
}
