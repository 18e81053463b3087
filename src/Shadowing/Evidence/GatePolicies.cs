using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Shadowing.Evidence;

/// <summary>The section <c>Shadowing:Gate</c>: by which policy the gate decides.</summary>
public sealed class GateOptions
{
    /// <summary>The section.</summary>
    public const string Section = "Shadowing:Gate";

    /// <summary><c>default</c>, <c>demo</c>, or the name of one under <c>Shadowing:Gate:Policies</c>.</summary>
    public string Policy { get; set; } = GatePolicy.Default.Name;
}

/// <summary>The policy in force: a built-in one, or one of the settings', which begins from the default and says what differs.</summary>
public sealed class GatePolicies(IConfiguration configuration, IOptionsMonitor<GateOptions> options)
{
    /// <summary>Valid: settings that are not were refused.</summary>
    public GatePolicy Current => Find(configuration, options.CurrentValue.Policy)!;

    internal static GatePolicy? Find(IConfiguration configuration, string name)
    {
        if (name == GatePolicy.Default.Name) return GatePolicy.Default;
        if (name == GatePolicy.Demo.Name) return GatePolicy.Demo;
        var section = configuration.GetSection($"{GateOptions.Section}:Policies:{name}");
        return section.Exists() ? (section.Get<GatePolicy>() ?? new()) with { Name = name } : null;
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
