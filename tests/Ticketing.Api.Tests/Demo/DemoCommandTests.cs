using System.Globalization;
using Ticketing.Demo;
using Ticketing.Demo.Faults;

namespace Ticketing.Api.Tests.Demo;

public sealed class DemoCommandTests
{
    [Fact]
    public async Task Without_options_the_defaults_hold()
    {
        var (code, options, _, _) = await RunAsync();

        Assert.Equal(0, code);
        Assert.Equal((5080, 5000, 50d, null), (options!.Port, options.Tickets, options.Rate, options.For));
        Assert.Empty(options.Faults);
    }

    [Fact]
    public async Task Options_arrive_as_given()
    {
        var (_, options, _, _) = await RunAsync(
            "--port", "0", "--tickets", "20000", "--rate", "12.5", "--for", "60", "--fault", "lost-row", "--fault", "null:0.001", "--report", "r.json");

        Assert.Equal((0, 20000, 12.5, TimeSpan.FromMinutes(1)), (options!.Port, options.Tickets, options.Rate, options.For));
        Assert.Equal([("lost-row", 1), ("null", 0.001)], options.Faults.Select(choice => (choice.Fault.Name, choice.Rate)));
        Assert.Equal("r.json", options.Report!.Name);
    }

    [Theory]
    [InlineData("--port", "70000")]
    [InlineData("--port", "http")]
    [InlineData("--tickets", "10")]
    [InlineData("--rate", "0")]
    [InlineData("--rate", "NaN")]
    [InlineData("--for", "-1")]
    [InlineData("--fault", "no-such-fault")]
    [InlineData("--fault", "null:0")]
    [InlineData("--fault", "null:1.5")]
    [InlineData("--fault", "null:often")]
    [InlineData("--report", "/no/such/directory/r.json")]
    [InlineData("--access", "/tmp")]
    public async Task What_cannot_be_is_refused_by_name_before_anything_runs(string option, string value)
    {
        var (code, options, _, error) = await RunAsync(option, value);

        Assert.Equal(64, code);
        Assert.Null(options);
        Assert.Contains(option, error, StringComparison.Ordinal);
        Assert.Contains(value, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--nonsense")]
    [InlineData("--fault")]
    [InlineData("stray")]
    public async Task A_command_line_that_means_nothing_is_refused(string argument) => Assert.Equal(64, (await RunAsync(argument)).Code);

    [Fact]
    public async Task Faults_are_listed_one_a_line()
    {
        var (code, options, output, _) = await RunAsync("--faults");

        Assert.Equal(0, code);
        Assert.Null(options);
        Assert.Equal(new FaultRegistry(TimeProvider.System).All.Select(fault => fault.Name), output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
    }

    private static async Task<(int Code, DemoOptions? Options, string Output, string Error)> RunAsync(params string[] args)
    {
        DemoOptions? given = null;
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var error = new StringWriter(CultureInfo.InvariantCulture);
        var code = await new DemoCommand(new FaultRegistry(TimeProvider.System)).InvokeAsync(
            args,
            (options, _) =>
            {
                given = options;
                return Task.FromResult(0);
            },
            output,
            error,
            TestContext.Current.CancellationToken);
        return (code, given, output.ToString(), error.ToString());
    }
}
