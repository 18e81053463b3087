using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Shadowing.Tests.Intercepting;

/// <summary>Shadowing never waits silently.</summary>
public sealed class TrafficWatchTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_ten_seconds_of_traffic_without_a_comparison_a_finding_says_why()
    {
        var time = new FakeTimeProvider();
        await using var host = await ShopHost.StartAsync(
            more: (services, _) => services.AddSingleton<TimeProvider>(time), settings: KeyValuePair.Create<string, string?>("Shadowing:SamplePercent", "0"));
        await AskAsync();
        // From the first look after that request on.
        for (var second = 0; second < 9; second++) await PassAsync();
        Assert.DoesNotContain(host.Findings, finding => finding.Object == "comparisons");

        while (host.Findings.All(finding => finding.Object != "comparisons"))
        {
            await AskAsync();
            await PassAsync();
        }

        Assert.Equal(
            "Requests come, and for 10 seconds none has been compared: they are skipped as not_sampled.",
            host.Findings.Single(finding => finding.Object == "comparisons").Text);
        Assert.Contains(host.Findings, finding => finding.Text.StartsWith("IShop.Sum is answered by the control", StringComparison.Ordinal));

        async Task AskAsync()
        {
            await using var request = host.Request();
            await request.ServiceProvider.GetRequiredService<IShop>().CountAsync(new("four"));
        }

        async Task PassAsync()
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5, Cancellation);
        }
    }
}
