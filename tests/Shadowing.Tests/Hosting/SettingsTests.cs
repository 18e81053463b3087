using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;
using Shadowing.Hosting;
using Shadowing.Settings;
using Shadowing.Supervision;

namespace Shadowing.Tests.Hosting;

public sealed class SettingsTests
{
    private readonly FakeLogCollector _logs = new();

    [Fact]
    public void A_reload_with_a_bad_value_leaves_the_last_valid_settings_in_force_and_is_reported_once()
    {
        var (configuration, settings) = Start(("SamplePercent", "50"));
        var hash = settings.Hash();
        Change(configuration, ("SamplePercent", "200"), ("TricklePercent", "7"));
        Change(configuration, ("SamplePercent", "200"));

        Assert.Equal((50d, 5d, hash), (settings.Current.SamplePercent, settings.Current.TricklePercent, settings.Hash()));
        var fault = Assert.Single(settings.Faults);
        Assert.Contains("Shadowing:SamplePercent = '200'", fault.Text, StringComparison.Ordinal);
        Assert.False(fault.IsCritical);
        Assert.Single(_logs.GetSnapshot(), log => log.Level == LogLevel.Error);

        Change(configuration, ("SamplePercent", "20"));
        Assert.Equal((20d, 7d), (settings.Current.SamplePercent, settings.Current.TricklePercent));
        Assert.Empty(settings.Faults);
        Assert.NotEqual(hash, settings.Hash());
    }

    [Fact]
    public void A_reload_with_a_value_that_cannot_be_read_is_refused_too()
    {
        var (configuration, settings) = Start(("SamplePercent", "50"));
        Change(configuration, ("SamplePercent", "abc"));
        Assert.Equal(50d, settings.Current.SamplePercent);
        Assert.Contains("Shadowing:SamplePercent = 'abc'", Assert.Single(settings.Faults).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_built_once_stays_in_force_until_a_restart_and_its_change_is_reported()
    {
        var (configuration, settings) = Start();
        var hash = settings.Hash();
        Change(configuration, ("Workers", "4"), ("Breaker:MinimumThroughput", "9"));
        Assert.Equal((1, 5, hash), (settings.Current.Workers, settings.Current.Breaker.MinimumThroughput, settings.Hash()));
        Assert.Equal(["Shadowing:Breaker", "Shadowing:Workers"], settings.Faults.Select(fault => fault.Setting).Order());
    }

    [Theory]
    [InlineData("SamplePercentage", "Shadowing:SamplePercentage", "SamplePercent")]
    [InlineData("Breaker:MinThroughput", "Shadowing:Breaker:MinThroughput", "MinimumThroughput")]
    [InlineData("Operations:oracle.aks:SamplePercent", "Shadowing:Operations:oracle.aks", "oracle.ask")]
    [InlineData("Operations:oracle.ask:Sample", "Shadowing:Operations:oracle.ask:Sample", "SamplePercent")]
    public async Task An_unknown_name_holds_shadowing_off_and_the_nearest_known_name_is_told(string setting, string path, string nearest)
    {
        await using var engine = await new Engine(new() { [setting] = "5" }).StartAsync();
        Assert.Equal("yes", (await engine.AskAsync()).Text);
        Assert.Equal([ShadowSwitch.UnknownSetting], engine.Report.OffBecause);
        Assert.DoesNotContain("Candidate Shadow", engine.Opened);
        var fault = Assert.Single(engine.Services.GetRequiredService<SettingsInForce>().Faults);
        Assert.Equal((path, true), (fault.Setting, fault.IsCritical));
        Assert.Contains($"'{nearest}'", fault.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void All_that_cannot_be_read_or_is_out_of_range_is_refused_at_once()
    {
        var refused = Assert.Throws<OptionsValidationException>(() => Start(
            ("SamplePercent", "abc"), ("ShadowTimeout", "soon"), ("Breaker:FailureRatio", "half"), ("Operations:oracle.ask:Enabled", "maybe"), ("Workers", "99")));
        Assert.Equal(5, refused.Failures.Count());
        foreach (var value in (string[])["'abc'", "'soon'", "'half'", "'maybe'", "'99'"])
            Assert.Contains(value, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_setting_written_as_it_is_serialized_can_be_read()
    {
        var written = JsonSerializer.SerializeToNode(new ShadowingOptions { KillFile = "k", RedactionKey = "0123456789abcdef" })!;
        var section = new ConfigurationBuilder().AddInMemoryCollection(Leaves(written)).Build();
        Assert.True(section.GetChildren().Count() > 20);
        var read = SettingsReader.Read(section, typeof(ShadowingOptions), "Shadowing");
        Assert.Empty(read.Malformed);
        Assert.Empty(read.Unknown);
    }

    private static IEnumerable<KeyValuePair<string, string?>> Leaves(JsonNode node) => node is JsonObject all
        ? all.Where(member => member.Value is not null).SelectMany(member => Leaves(member.Value!))
        : [new(node.GetPath()[2..].Replace('.', ':'), node.ToString())];

    private (IConfigurationRoot Configuration, SettingsInForce Settings) Start(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(new FakeLoggerProvider(_logs)));
        services.AddShadowing<Oracle>(configuration, Engine.Ask);
        return (configuration, services.BuildServiceProvider().GetRequiredService<SettingsInForce>());
    }

    private static void Change(IConfigurationRoot configuration, params (string Name, string Value)[] settings)
    {
        foreach (var (name, value) in settings) configuration[name] = value;
        configuration.Reload();
    }
}
