using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Shadowing.Hosting;
using Shadowing.Supervision;

namespace Shadowing.Tests.Supervision;

/// <summary>What is wrong with the setup, while the checks that say so come and go.</summary>
public sealed class FindingsTests : IAsyncDisposable
{
    private readonly ServiceProvider _services = Build();

    private Findings Findings => _services.GetRequiredService<Findings>();

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    /// <summary>A status that is asked for while a replica starts is asked for while checks report for the first time.</summary>
    [Fact]
    public async Task They_are_read_while_checks_report_for_the_first_time()
    {
        using var start = new Barrier(2);
        var reporting = Task.Factory.StartNew(Report, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        start.SignalAndWait(TestContext.Current.CancellationToken);
        while (!reporting.IsCompleted) Assert.All(Findings.All, finding => Assert.Equal("object", finding.Object));
        await reporting;
        Assert.Equal(5_000, Findings.All.Count);

        void Report()
        {
            start.SignalAndWait();
            for (var check = 0; check < 5_000; check++) Findings.Replace($"check {check}", new Finding(Finding.Warning, "object", "text"));
        }
    }

    [Fact]
    public void They_are_told_by_the_name_of_the_check_and_gone_once_it_finds_nothing()
    {
        Findings.Replace("b", new Finding(Finding.Warning, "second", "text"));
        Findings.Replace("a", new Finding(Finding.Critical, "first", "text"), new Finding(Finding.Warning, "also first", "text"));
        Assert.Equal(["first", "also first", "second"], Findings.All.Select(finding => finding.Object));
        Findings.Replace("a");
        Assert.Equal(["second"], Findings.All.Select(finding => finding.Object));
    }

    private static ServiceProvider Build()
    {
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        services.AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        services.AddShadowing<Oracle>(new ConfigurationBuilder().Build(), [Engine.Ask]);
        return services.BuildServiceProvider();
    }
}
