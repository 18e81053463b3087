using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Options;

namespace ShadowTicketing.Shadowing;

/// <summary>Refuses bad settings at start: all of them at once, each with the value that was given and the rule it breaks.</summary>
internal sealed class ShadowingOptionsValidator(IEnumerable<Experiment> experiments) : IValidateOptions<ShadowingOptions>
{
    public ValidateOptionsResult Validate(string? name, ShadowingOptions options)
    {
        List<string> failures = [.. Failures(ShadowingOptions.Section, options), .. Failures($"{ShadowingOptions.Section}:Breaker", options.Breaker)];
        var known = experiments.Select(experiment => experiment.Operation).ToArray();
        foreach (var (operation, settings) in options.Operations)
        {
            var path = $"{ShadowingOptions.Section}:Operations:{operation}";
            if (!known.Contains(operation)) failures.Add($"{path}: there is no operation '{operation}', only {string.Join(", ", known)}.");
            failures.AddRange(Failures(path, settings));
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static IEnumerable<string> Failures(string path, object section) =>
        from property in section.GetType().GetProperties()
        let value = property.GetValue(section)
        from rule in property.GetCustomAttributes<ValidationAttribute>()
        where !rule.IsValid(value)
        select string.Create(CultureInfo.InvariantCulture, $"{path}:{property.Name} = '{value}': {rule.FormatErrorMessage(property.Name)}");
}
