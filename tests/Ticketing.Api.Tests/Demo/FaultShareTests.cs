using Ticketing.Demo.Faults;

namespace Ticketing.Api.Tests.Demo;

public sealed class FaultShareTests
{
    [Theory]
    [InlineData(1, 1000, 1000)]
    [InlineData(0.5, 1000, 500)]
    [InlineData(0.1, 1000, 100)]
    [InlineData(0.001, 1000, 1)]
    [InlineData(0.001, 1001, 2)]
    public void The_share_is_exact(double rate, int seen, int taken)
    {
        var share = new FaultShare(rate);

        Assert.Equal(taken, Enumerable.Range(0, seen).Count(_ => share.Take()));
    }

    [Fact]
    public void The_first_one_is_always_taken() => Assert.True(new FaultShare(0.001).Take());

    [Fact]
    public void What_is_given_back_is_taken_from_the_next()
    {
        var share = new FaultShare(0.001);
        Assert.True(share.Take());

        share.GiveBack();

        Assert.True(share.Take());
        Assert.False(share.Take());
    }
}
