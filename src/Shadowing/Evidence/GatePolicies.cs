using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
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
    private readonly LastValid<GatePolicy> _policy;

    internal GatePolicies(IConfiguration configuration, IOptionsFactory<GateOptions> options, Findings findings) =>
        _policy = new(
            configuration, GateOptions.Section, () => Find(configuration, options.Create(Options.DefaultName).Policy)!, findings);

    /// <summary>The policy in force.</summary>
    public GatePolicy Current => _policy.Current;

    internal static GatePolicy? Find(IConfiguration configuration, string name)
    {
        if (name == GatePolicy.Default.Name) return GatePolicy.Default;
        if (name == GatePolicy.Demo.Name) return GatePolicy.Demo;
        var section = configuration.GetSection($"{GateOptions.Section}:Policies:{name}");
        return section.Exists() ? (section.Get<GatePolicy>() ?? new()) with { Name = name } : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _policy.Dispose();
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
