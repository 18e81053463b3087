using Shadowing.Model;

namespace Shadowing.Tests.Rollout;

public sealed class StageTests
{
    [Fact]
    public void The_ladder_never_lowers_what_the_candidate_serves()
    {
        Assert.Equal([0, 0, 0, 0, 1, 5, 25, 50, 100, 100], Stage.Ladder.Select(stage => stage.ServePercent));
        Assert.Equal(
            ["off", "shadow-1", "shadow-10", "shadow-100", "ramp-1", "ramp-5", "ramp-25", "ramp-50", "full", "complete"],
            Stage.Ladder.Select(stage => stage.Name));
    }

    [Fact]
    public void Each_stage_leads_to_the_next_and_the_last_to_none()
    {
        for (var i = 0; i + 1 < Stage.Ladder.Count; i++) Assert.Same(Stage.Ladder[i + 1], Stage.Ladder[i].Next);
        Assert.Null(Stage.Complete.Next);
    }

    [Fact]
    public void Every_name_is_read_back()
    {
        Assert.All(Stage.Ladder, stage => Assert.True(Stage.TryParse(stage.Name, out var read) && ReferenceEquals(read, stage)));
        Assert.True(Stage.TryParse("shadow", out var shadow));
        Assert.Same(Stage.Shadow, shadow);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ramp-100")]
    [InlineData("ramp-2")]
    [InlineData("FULL")]
    public void A_stage_that_is_not_on_the_ladder_is_refused(string? name) => Assert.False(Stage.TryParse(name, out _));

    [Fact]
    public void Only_ramp_full_and_complete_serve() => Assert.All(Stage.Ladder, stage =>
        Assert.Equal(stage.Kind is StageKind.Ramp or StageKind.Full or StageKind.Complete, stage.Serves));
}
