using Microsoft.Extensions.Time.Testing;
using Shadowing.Serving;

namespace Shadowing.Tests;

/// <summary>Which requests are timed: all where there are few, about as many a second where there are more.</summary>
public sealed class TimedShareTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void An_operation_of_few_requests_is_timed_whole()
    {
        var share = new TimedShare(_clock);
        Assert.Equal(600, Timed(share, perSecond: 50, seconds: 12));
    }

    [Fact]
    public void Of_many_about_fifty_a_second_are_timed_from_the_first_second_on()
    {
        var share = new TimedShare(_clock);
        // In the first second nothing is known of the rate but what has come: 50, and 50 · ln(10,000 / 50) of those that follow.
        Assert.InRange(Timed(share, perSecond: 10_000, seconds: 1), 200, 450);
        Assert.InRange(Timed(share, perSecond: 10_000, seconds: 20) / 20, 40, 60);
    }

    [Fact]
    public void After_a_pause_it_begins_with_all_again()
    {
        var share = new TimedShare(_clock);
        Timed(share, perSecond: 10_000, seconds: 2);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(20, Timed(share, perSecond: 20, seconds: 1));
    }

    private int Timed(TimedShare share, int perSecond, int seconds)
    {
        var timed = 0;
        for (var request = 0; request < perSecond * seconds; request++, _clock.Advance(TimeSpan.FromSeconds(1d / perSecond)))
        {
            if (share.Draw(_clock.GetTimestamp())) timed++;
        }

        return timed;
    }
}
