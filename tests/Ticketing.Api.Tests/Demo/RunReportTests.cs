using System.Text.Json.Nodes;
using Ticketing.Demo;
using Ticketing.Demo.Faults;
using Ticketing.Demo.Status;
using Ticketing.Demo.Traffic;

namespace Ticketing.Api.Tests.Demo;

public sealed class RunReportTests
{
    private static readonly PlannedRequest Get = new("tickets.get", TrafficPlanTests.People.Light[0], HttpMethod.Get, "/api/tickets/1", null, [200]);

    private readonly TrafficTally _traffic = new();
    private readonly PlantedFaults _faults = new([new(new FaultRegistry(TimeProvider.System).Find("null")!, 1)]);

    [Fact]
    public void The_status_is_kept_as_it_is_and_the_drivers_counts_come_beside_it()
    {
        _traffic.Sent(Get);
        _traffic.Sent(Get);
        _traffic.Wrong(Get, "500");

        var report = RunReport.Build(new() { ["generation"] = 1, ["operations"] = new JsonArray() }, _traffic, _faults);

        Assert.Equal(
            """{"generation":1,"operations":[],"driven":{"tickets.get":2},"planted":0,"plantedByFault":{"null":0},"unexpected":{"tickets.get 500":1}}""",
            report.ToJsonString());
    }

    [Fact]
    public void Without_a_status_the_drivers_counts_are_still_told() =>
        Assert.Equal(
            """{"driven":{},"planted":0,"plantedByFault":{"null":0},"unexpected":{}}""", RunReport.Build(null, _traffic, _faults).ToJsonString());

    [Fact]
    public void A_status_adds_up_and_settles()
    {
        var view = StatusClient.View((JsonObject)JsonNode.Parse(
            """
            {"enabled":true,"operations":[{"operation":"tickets.get","requests":10,"comparisons":{"match":4,"mismatch":1},
             "skips":{"yielded":2},"queued":2,"inFlight":1,"seconds":{"control":{"p50":0.1,"p95":0.2},"candidate":{"p50":null}}}]}
            """)!)!;

        var get = Assert.Single(view.Operations);
        Assert.True(get.AddsUp);
        Assert.Equal((5, 2), (get.Compared, get.Skipped));
        Assert.False(view.IsSettled);
        Assert.True((view with { Operations = [get with { Queued = 0, InFlight = 0 }] }).IsSettled);
    }

    [Fact]
    public void The_parent_is_found_behind_a_name_that_looks_like_numbers() => Assert.Equal(77, ParentWatch.ParentIn("12 (a) R 5 (b) S 77 12 12 0"));
}
