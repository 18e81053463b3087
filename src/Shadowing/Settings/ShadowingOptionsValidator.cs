using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Options;
using Shadowing.Model;

namespace Shadowing.Settings;

/// <summary>
/// Refuses bad settings, at start and at each reload: all of them at once, each with the value that was given and the rule it breaks.
/// </summary>
/// <remarks>An unknown name is no refusal: a build that is rolled back in an incident must start on newer settings.</remarks>
internal sealed class ShadowingOptionsValidator(ShadowingSection section, TimeProvider clock) : IValidateOptions<ShadowingOptions>
{
    public ValidateOptionsResult Validate(string? name, ShadowingOptions options)
    {
        List<string> failures =
        [
            .. section.Malformed(), .. Failures(ShadowingOptions.Section, options),
            .. Failures($"{ShadowingOptions.Section}:Breaker", options.Breaker),
        ];
        foreach (var (operation, settings) in options.Operations)
        {
            failures.AddRange(Failures($"{ShadowingOptions.Section}:Operations:{operation}", settings));
        }

        if (!Stage.TryParse(options.FirstStage, out var first) || first.Serves)
        {
            var stages = Stage.Ladder.Where(stage => !stage.Serves).Select(stage => stage.Name);
            failures.Add($"{ShadowingOptions.Section}:FirstStage = '{options.FirstStage}': it is one of {string.Join(", ", stages)}.");
        }

        failures.AddRange(Failures(options.RawSamples));
        failures.AddRange(options.SealedSamples.Failures($"{ShadowingOptions.Section}:{nameof(ShadowingOptions.SealedSamples)}"));
        failures.AddRange(options.Recording.Failures(
            $"{ShadowingOptions.Section}:{nameof(ShadowingOptions.Recording)}", clock.GetUtcNow()));
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private IEnumerable<string> Failures(RawSamplesOptions raw)
    {
        const string path = $"{ShadowingOptions.Section}:{nameof(ShadowingOptions.RawSamples)}";
        if (raw.Until is not { } until) yield break;
        if (until > clock.GetUtcNow() + TimeSpan.FromHours(24))
            yield return string.Create(CultureInfo.InvariantCulture, $"{path}:Until = '{until:O}': it is more than 24 hours ahead.");
        if (string.IsNullOrWhiteSpace(raw.Owner)) yield return $"{path}:Owner is missing: raw samples need an owner.";
        if (string.IsNullOrWhiteSpace(raw.Reason)) yield return $"{path}:Reason is missing: raw samples need one.";
    }

    private static IEnumerable<string> Failures(string path, object section) =>
        from property in section.GetType().GetProperties()
        let value = property.GetValue(section)
        from rule in property.GetCustomAttributes<ValidationAttribute>()
        where !rule.IsValid(value)
        let given = property.Name == nameof(ShadowingOptions.RedactionKey) ? "(secret)" : value
        select string.Create(CultureInfo.InvariantCulture, $"{path}:{property.Name} = '{given}': {rule.FormatErrorMessage(property.Name)}");
}
