using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ShadowTicketing.Shadowing.Rollout;

namespace ShadowTicketing.Shadowing;

/// <summary>What requests consult before they are shadowed: the routes, the switch and the memory. Kept up to date each second, off their path.</summary>
internal sealed partial class ShadowingControl : BackgroundService
{
    private readonly IOptionsMonitor<ShadowingOptions> _options;
    private readonly IEnumerable<Experiment> _experiments;
    private readonly ShadowingMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<ShadowingControl> _logger;
    private ShadowingOptions _latest;
    private string? _refused;
    private volatile RoutingTable _routes;
    private volatile bool _isShortOfMemory;

    public ShadowingControl(
        IOptionsMonitor<ShadowingOptions> options, IEnumerable<Experiment> experiments, ShadowSwitch shadowSwitch, ShadowingMetrics metrics,
        TimeProvider clock, ILogger<ShadowingControl> logger)
    {
        (_options, _experiments, _metrics, _clock, _logger) = (options, experiments, metrics, clock, logger);
        Switch = shadowSwitch;
        _latest = options.CurrentValue;
        _routes = RoutingTable.From(_latest, experiments);
        Look();
        metrics.ObserveConfig(() => long.Parse(ConfigHash(), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    public ShadowSwitch Switch { get; }

    public RoutingTable Routes => _routes;

    /// <summary>The process is past the load at which the collector calls memory scarce.</summary>
    public bool IsShortOfMemory => _isShortOfMemory;

    /// <summary>A hash of the settings in force, but for the replica's own name.</summary>
    public string ConfigHash()
    {
        var settings = JsonSerializer.SerializeToNode(_latest)!.AsObject();
        settings.Remove(nameof(ShadowingOptions.Replica));
        return Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(settings)))[..12];
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var experiment in _experiments) _metrics.Publish(experiment);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(500), _clock);
        try
        {
            while (await tick.WaitForNextTickAsync(stoppingToken)) Look();
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private void Look()
    {
        var memory = GC.GetGCMemoryInfo();
        _isShortOfMemory = memory.HighMemoryLoadThresholdBytes > 0 && memory.MemoryLoadBytes > memory.HighMemoryLoadThresholdBytes;
        try
        {
            _latest = _options.CurrentValue;
            _routes = RoutingTable.From(_latest, _experiments);
            _refused = null;
        }
        catch (Exception refused) when (refused is OptionsValidationException or InvalidOperationException)
        {
            if (refused.Message != _refused) LogRefused(refused.Message);
            _refused = refused.Message;
        }

        Hold(ShadowSwitch.Disabled, !_latest.Enabled);
        Hold(ShadowSwitch.KillFile, _latest.KillFile is { Length: > 0 } file && File.Exists(file));
    }

    private void Hold(string reason, bool off)
    {
        if (Switch.Hold(reason, off)) LogSwitched(reason, off ? "holds shadowing off" : "no longer holds shadowing off");
    }

    [LoggerMessage(30, LogLevel.Information, "'{Reason}' {Does}.")]
    private partial void LogSwitched(string reason, string does);

    [LoggerMessage(31, LogLevel.Error, "Changed settings were refused, the last good ones stay: {Failures}")]
    private partial void LogRefused(string failures);
}
