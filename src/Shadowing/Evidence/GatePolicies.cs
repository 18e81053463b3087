using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Shadowing.Supervision;

namespace Shadowing.Evidence;

/// <summary>The section <c>Shadowing:Gate</c>: by which policy the gate decides.</summary>
public sealed class GateOptions
{
    /// <summary>The section.</summary>
    public const string Section = "Shadowing:Gate";

    /// <summary><c>default</c>, <c>demo</c>, or the name of one under <c>Shadowing:Gate:Policies</c>.</summary>
    public string Policy { get; set; } = GatePolicy.Default.Name;
}

/// <summary>The names that may stand in the section.</summary>
internal sealed class GateSection
{
    public string? Policy { get; set; }

    public Dictionary<string, GatePolicy> Policies { get; } = [];
}

/// <summary>
/// The policy in force: a built-in one, or one of the settings', which begins from the default and says what differs. Where a reload makes
/// it invalid, the last valid one stays, with a finding.
/// </summary>
public sealed class GatePolicies : IDisposable
{
    private readonly IConfiguration _configuration;
    private readonly IOptionsFactory<GateOptions> _options;
    private readonly Findings _findings;
    private readonly IDisposable _reloads;
    private volatile GatePolicy _current;

    internal GatePolicies(IConfiguration configuration, IOptionsFactory<GateOptions> options, Findings findings)
    {
        (_configuration, _options, _findings) = (configuration, options, findings);
        _current = Read();
        _reloads = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    /// <summary>The policy in force.</summary>
    public GatePolicy Current => _current;

    internal static GatePolicy? Find(IConfiguration configuration, string name)
    {
        if (name == GatePolicy.Default.Name) return GatePolicy.Default;
        if (name == GatePolicy.Demo.Name) return GatePolicy.Demo;
        var section = configuration.GetSection($"{GateOptions.Section}:Policies:{name}");
        return section.Exists() ? (section.Get<GatePolicy>() ?? new()) with { Name = name } : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _reloads.Dispose();

    private GatePolicy Read() => Find(_configuration, _options.Create(Options.DefaultName).Policy)!;

    private void Reload()
    {
        try
        {
            _current = Read();
            _findings.Replace("gate policy");
        }
        catch (OptionsValidationException refused)
        {
            _findings.Replace("gate policy", new Finding(
                Finding.Warning, GateOptions.Section,
                $"Changed settings are refused, the last valid policy stays in force: {string.Join(" ", refused.Failures)}"));
        }
    }
}

internal sealed class GateOptionsValidation(IConfiguration configuration) : IValidateOptions<GateOptions>
{
    public ValidateOptionsResult Validate(string? name, GateOptions options)
    {
        const string path = $"{GateOptions.Section}:Policy";
        try
        {
            if (GatePolicies.Find(configuration, options.Policy) is not { } policy)
                return ValidateOptionsResult.Fail(
                    $"{path} = '{options.Policy}': there is no such policy under {GateOptions.Section}:Policies.");
            string[] failures = [.. policy.Failures().Select(failure => $"{GateOptions.Section}:Policies:{options.Policy}: {failure}")];
            return failures.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
        }
        catch (InvalidOperationException unreadable)
        {
            return ValidateOptionsResult.Fail($"{GateOptions.Section}:Policies:{options.Policy}: {unreadable.Message}");
        }
    }
}
