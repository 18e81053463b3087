using System.Collections.Frozen;
using CsCheck;
using Shadowing.Rollout;

namespace Shadowing.Tests.Rollout;

public sealed class RouteTests
{
    private static readonly FrozenSet<string> Any = new[] { "any" }.ToFrozenSet();

    [Fact]
    public void A_larger_share_keeps_everybody_whom_a_smaller_one_had() =>
        Gen.Select(Gen.Long, Gen.Double[0, 100], Gen.Double[0, 100]).Sample((user, one, other) =>
        {
            var (small, large) = (Math.Min(one, other), Math.Max(one, other));
            return !Route(small).Serves("tickets.list", user, "any") || Route(large).Serves("tickets.list", user, "any");
        });

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(25)]
    [InlineData(50)]
    public void The_share_is_what_it_says_also_among_users_with_neighbouring_ids(double percent)
    {
        const int Users = 100_000;
        var served = Enumerable.Range(1, Users).Count(user => Route(percent).Serves("tickets.list", user, "any"));
        var deviation = Math.Sqrt(Users * percent / 100 * (1 - (percent / 100)));
        Assert.InRange(served, (Users * percent / 100) - (5 * deviation), (Users * percent / 100) + (5 * deviation));
    }

    [Fact]
    public void Operations_draw_users_independently()
    {
        const int Users = 100_000;
        var both = Enumerable.Range(1, Users).Count(user =>
            Route(10).Serves("tickets.list", user, "any") && Route(10).Serves("tickets.get", user, "any"));
        Assert.InRange(both, 800, 1200);
    }

    [Fact]
    public void A_shape_that_it_may_not_serve_is_not_served_at_any_share() => Assert.False(Route(100).Serves("tickets.list", 1, "another"));

    private static Route Route(double percent) => new(true, 100) { ServePercent = percent, ServedShapes = Any };
}
