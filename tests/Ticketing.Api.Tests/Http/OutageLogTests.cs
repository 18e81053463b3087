using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using Ticketing.Api.Problems;

namespace Ticketing.Api.Tests.Http;

public sealed class OutageLogTests
{
    [Fact]
    public void An_outage_is_a_line_at_once_and_one_a_period_with_a_count_and_no_stack()
    {
        var (clock, logger) = (new FakeTimeProvider(), new FakeLogger<OutageLog>());
        using var log = new OutageLog(clock, logger);
        for (var i = 0; i < 100; i++) log.Add("GET", "/api/tickets", new TimeoutException());
        var first = Assert.Single(logger.Collector.GetSnapshot());
        Assert.StartsWith("GET /api/tickets found no database: TimeoutException", first.Message, StringComparison.Ordinal);

        clock.Advance(OutageLog.Period);
        Assert.StartsWith("99 more requests found no database within 10 s, the last one GET /api/tickets", logger.LatestRecord.Message, StringComparison.Ordinal);
        clock.Advance(OutageLog.Period);
        clock.Advance(OutageLog.Period);
        Assert.Equal(2, logger.Collector.Count);
        Assert.All(logger.Collector.GetSnapshot(), record => Assert.Null(record.Exception));

        log.Add("POST", "/api/tickets", new TimeoutException());
        Assert.StartsWith("POST /api/tickets found no database", logger.LatestRecord.Message, StringComparison.Ordinal);
    }
}
