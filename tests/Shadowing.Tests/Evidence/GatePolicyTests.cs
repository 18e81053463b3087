using Shadowing.Evidence;
using Shadowing.Model;

namespace Shadowing.Tests.Evidence;

public sealed class GatePolicyTests
{
    [Theory]
    [InlineData("off", null)]
    [InlineData("shadow-1", null)]
    [InlineData("shadow-10", 1e-2)]
    [InlineData("shadow-100", 1e-3)]
    [InlineData("ramp-1", 1e-3)]
    [InlineData("ramp-5", 1e-3)]
    [InlineData("ramp-25", 4e-4)]
    [InlineData("ramp-50", 2e-4)]
    [InlineData("full", 1e-4)]
    [InlineData("complete", 1e-4)]
    public void The_rate_to_beat_follows_from_what_is_served(string stage, double? epsilon)
    {
        Assert.True(Stage.TryParse(stage, out var target));
        var actual = GatePolicy.Default.EpsilonToEnter(target);
        Assert.Equal(epsilon is null, actual is null);
        Assert.Equal(epsilon ?? 0, actual ?? 0, 1e-12);
    }

    [Fact]
    public void The_built_in_policies_are_valid()
    {
        Assert.Empty(GatePolicy.Default.Failures());
        Assert.Empty(GatePolicy.Demo.Failures());
    }

    [Fact]
    public void The_demo_is_weaker_than_the_default_and_a_stricter_policy_is_not()
    {
        Assert.False(GatePolicy.Default.IsWeakerThanDefault());
        Assert.True(GatePolicy.Demo.IsWeakerThanDefault());
        Assert.False((GatePolicy.Default with { Name = "strict", WrongAnswers = 1e-5, BusinessDays = 10 }).IsWeakerThanDefault());
        Assert.True((GatePolicy.Default with { Name = "quick", SoakBeforeFull = TimeSpan.FromHours(47) }).IsWeakerThanDefault());
        Assert.True((GatePolicy.Default with { Name = "chatty", StatementEpsilon = null }).IsWeakerThanDefault());
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once_with_the_value_given()
    {
        var policy = new GatePolicy
        {
            Name = " ",
            Version = 0,
            Alpha = 0.6,
            FirstEpsilon = 1e-4,
            ServeEpsilon = 2,
            WrongAnswers = double.NaN,
            ShapeEpsilon = 0,
            UnprovenLimit = 1.5,
            DoubtLimit = -0.1,
            UserShare = 0,
            SoakBeforeFull = TimeSpan.FromHours(-1),
            SoakBeforeComplete = TimeSpan.FromHours(-2),
            BusinessDays = -3,
            BusyHourCases = -4,
            SweepsCarryTo = 101,
            PerformanceFrom = double.NaN,
            StatementEpsilon = 1,
            StageDwell = TimeSpan.FromMinutes(-1),
            UncleanExitHold = TimeSpan.FromMinutes(-1),
            SweepHolds = TimeSpan.FromDays(-1),
            FailureRate = 0,
            FailureOdds = double.PositiveInfinity,
        };
        var failures = policy.Failures();
        var settings = typeof(GatePolicy).GetProperties()
            .Where(property => !property.GetMethod!.IsStatic && property.PropertyType != typeof(bool)).Select(property => property.Name);
        Assert.All(settings, name => Assert.Contains(failures, failure => failure.StartsWith($"{name} = '", StringComparison.Ordinal)));
        Assert.Contains(failures, failure => failure.Contains("'0.6'", StringComparison.Ordinal));
    }

    [Fact]
    public void More_cases_than_the_bitmap_can_count_are_refused()
    {
        Assert.Empty((GatePolicy.Default with { WrongAnswers = 1e-5 }).Failures());
        var operation = Assert.Single((GatePolicy.Default with { WrongAnswers = 1e-6 }).Failures());
        Assert.Contains("4,659,128 cases, and the bitmap can count 524,288", operation, StringComparison.Ordinal);
        var shape = Assert.Single((GatePolicy.Default with { ShapeEpsilon = 1e-4 }).Failures());
        Assert.Contains("46,589 cases, and the bitmap can count 8,192", shape, StringComparison.Ordinal);
        Assert.Single((GatePolicy.Default with { BusyHourCases = 600_000 }).Failures());
    }

    [Fact]
    public void No_weaker_policy_may_call_itself_the_default()
    {
        var failure = Assert.Single((GatePolicy.Default with { BusinessDays = 1 }).Failures());
        Assert.Contains("needs a name of its own", failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Rates_must_fall_from_the_first_look_to_the_last() =>
        Assert.Equal(2, (GatePolicy.Default with { ServeEpsilon = 5e-5, FirstEpsilon = 4e-5 }).Failures().Count);
}
