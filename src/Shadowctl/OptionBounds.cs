using System.CommandLine;

namespace Shadowctl;

/// <summary>Checks of option values.</summary>
internal static class OptionBounds
{
    /// <summary>Refuses a value that is not right; text that is no value at all is refused by its own error.</summary>
    public static void Bound<T>(this Option<T> option, Func<T?, bool> isRight, string refusal) => option.Validators.Add(given =>
    {
        T? value;
        try
        {
            value = given.GetValueOrDefault<T>();
        }
        catch (InvalidOperationException)
        {
            // The text could not be read, and that is reported.
            return;
        }

        if (!isRight(value)) given.AddError(refusal);
    });
}
