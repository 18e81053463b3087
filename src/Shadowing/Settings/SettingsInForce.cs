using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Shadowing.Settings;

/// <summary>
/// Marks a setting that is used once, at start: a changed value needs a restart, and until then the old value is in force.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class BuiltOnceAttribute : Attribute;

/// <summary>A fault of the settings while the service runs.</summary>
/// <param name="IsCritical">Whether it switches shadowing off.</param>
public sealed record SettingsFault(string Setting, bool IsCritical, string Text);

/// <summary>
/// The only source of the section <see cref="ShadowingOptions.Section"/>: the last valid settings, updated by reloads.
/// </summary>
public sealed partial class SettingsInForce : IDisposable
{
    private static readonly PropertyInfo[] BuiltOnce =
        [.. typeof(ShadowingOptions).GetProperties().Where(property => property.IsDefined(typeof(BuiltOnceAttribute)))];

    private readonly Lock _change = new();
    private readonly IOptionsFactory<ShadowingOptions> _factory;
    private readonly ShadowingSection _section;
    private readonly ILogger<SettingsInForce> _logger;
    private readonly IDisposable _reloads;
    private volatile ShadowingOptions _current;
    private volatile IReadOnlyList<SettingsFault> _faults = [];

    internal SettingsInForce(IOptionsFactory<ShadowingOptions> factory, ShadowingSection section, ILogger<SettingsInForce> logger)
    {
        (_factory, _section, _logger) = (factory, section, logger);
        _current = factory.Create(Options.DefaultName);
        Tell(Unknown());
        _reloads = ChangeToken.OnChange(section.Configuration.GetReloadToken, Reload);
    }

    /// <summary>Settings that never change, for objects that are built without a host.</summary>
    internal static SettingsInForce ForOptions(ShadowingOptions options) => new(options);

    private SettingsInForce(ShadowingOptions options)
    {
        (_current, _section) = (options, new(new ConfigurationBuilder().Build(), [], []));
        (_factory, _reloads) = (null!, new CancellationTokenSource());
        _logger = Microsoft.Extensions.Logging.Abstractions.NullLogger<SettingsInForce>.Instance;
    }

    /// <summary>The settings in force. Read them anew for each use, and never change them.</summary>
    public ShadowingOptions Current => _current;

    /// <summary>The faults of the settings at present; empty where there are none.</summary>
    public IReadOnlyList<SettingsFault> Faults => _faults;

    /// <summary>Whether a setting has a name that this build does not know.</summary>
    internal bool HasUnknown => _faults.Any(fault => fault.IsCritical);

    /// <summary>A hash of the settings in force, without the replica's name: 12 hexadecimal digits.</summary>
    public string Hash()
    {
        var settings = JsonSerializer.SerializeToNode(_current)!.AsObject();
        settings.Remove(nameof(ShadowingOptions.Replica));
        return Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(settings)))[..12];
    }

    /// <inheritdoc/>
    public void Dispose() => _reloads.Dispose();

    private void Reload()
    {
        lock (_change)
        {
            List<SettingsFault> faults = [.. Unknown()];
            try
            {
                var next = _factory.Create(Options.DefaultName);
                faults.AddRange(KeepWhatIsBuilt(next));
                _current = next;
            }
#pragma warning disable CA1031 // For any fault of the new settings: the last valid ones stay in force, and the fault is reported.
            catch (Exception refused)
            {
                var reasons = refused is OptionsValidationException { Failures: var failures } ? string.Join(" ", failures)
                    : refused.GetType().Name;
                faults.Add(new(ShadowingOptions.Section, false,
                    $"Changed settings are refused, the last valid ones stay in force: {reasons}"));
            }
#pragma warning restore CA1031
            Tell(faults);
        }
    }

    private IEnumerable<SettingsFault> Unknown() => _section.Read().Unknown.Select(unknown => new SettingsFault(
        unknown.Path, true,
        $"There is no such setting; the nearest known name is '{unknown.Nearest}'. "
            + "Shadowing is off until the setting is corrected or removed."));

    private List<SettingsFault> KeepWhatIsBuilt(ShadowingOptions next)
    {
        List<SettingsFault> changed = [];
        foreach (var property in BuiltOnce)
        {
            var (old, given) = (property.GetValue(_current), property.GetValue(next));
            if (JsonSerializer.Serialize(old) == JsonSerializer.Serialize(given)) continue;
            property.SetValue(next, old);
            changed.Add(new($"{ShadowingOptions.Section}:{property.Name}", false, "The setting was changed; the change needs a restart."));
        }

        return changed;
    }

    private void Tell(IEnumerable<SettingsFault> faults)
    {
        var before = _faults;
        _faults = [.. faults];
        foreach (var fault in _faults.Except(before))
            LogFault(fault.IsCritical ? LogLevel.Critical : LogLevel.Error, fault.Setting, fault.Text);
        foreach (var fault in before.Except(_faults)) LogResolved(fault.Setting, fault.Text);
    }

    [LoggerMessage(EventId = 31, Message = "{Setting}: {Text}")]
    private partial void LogFault(LogLevel level, string setting, string text);

    [LoggerMessage(33, LogLevel.Information, "{Setting}: no longer so: {Text}")]
    private partial void LogResolved(string setting, string text);
}
