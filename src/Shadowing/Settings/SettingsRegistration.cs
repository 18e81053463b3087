using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Shadowing.Settings;

/// <summary>A section within <see cref="ShadowingOptions.Section"/> that the application reads itself.</summary>
/// <param name="Type">What it is bound to: names that it does not have are unknown.</param>
public sealed record ApplicationSection(string Name, Type Type);

/// <summary>The section of the engine's settings, with what may be in it.</summary>
/// <param name="operations">The names that settings of single operations may have.</param>
internal sealed class ShadowingSection(
    IConfiguration configuration, IReadOnlyCollection<string> operations, IEnumerable<ApplicationSection> sections)
{
    private readonly Dictionary<string, Type> _sections = sections.ToDictionary(section => section.Name, section => section.Type);

    private readonly Dictionary<string, IReadOnlyCollection<string>> _names = new()
    {
        [nameof(ShadowingOptions.Operations)] = operations,
    };

    public IConfiguration Configuration => configuration;

    public SettingsRead Read() => SettingsReader.Read(configuration, typeof(ShadowingOptions), ShadowingOptions.Section, _sections, _names);

    public void Bind(ShadowingOptions options) => (Read() with
    {
        Values = Read().Values.Where(value => !_sections.Keys.Any(name => value.Key.StartsWith(name + ":",
            StringComparison.OrdinalIgnoreCase)))
            .ToDictionary(value => value.Key, value => value.Value),
    }).Bind(options);

    /// <summary>What cannot be bound; the application judges its own sections.</summary>
    public IEnumerable<string> Malformed() => Read().Malformed.Where(malformed => !_sections.Keys.Any(
        name => malformed.StartsWith($"{ShadowingOptions.Section}:{name}:", StringComparison.OrdinalIgnoreCase)));
}

/// <summary>Binds sections so that a value that cannot be read is refused like any other: at start, with all others, in words.</summary>
public static class SettingsRegistration
{
    /// <summary>Binds a section of the application's configuration, and refuses what cannot be bound.</summary>
    /// <remarks>A reader that follows reloads keeps the last valid value itself, and asks the options' factory for each new one.</remarks>
    public static OptionsBuilder<T> BindReadable<T>(this OptionsBuilder<T> builder, string section)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton<IValidateOptions<T>>(provider =>
            new Readable<T>(provider.GetRequiredService<IConfiguration>().GetSection(section), section));
        return builder.Configure<IConfiguration>((options, configuration) =>
            SettingsReader.Read(configuration.GetSection(section), typeof(T), section).Bind(options));
    }

    private sealed class Readable<T>(IConfiguration section, string path) : IValidateOptions<T>
        where T : class
    {
        public ValidateOptionsResult Validate(string? name, T options) =>
            SettingsReader.Read(section, typeof(T), path).Malformed is { Count: > 0 } malformed
                ? ValidateOptionsResult.Fail(malformed) : ValidateOptionsResult.Success;
    }
}
