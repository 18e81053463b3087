using Microsoft.Extensions.Options;

namespace Ticketing.Api.Stopping;

/// <summary>The section <c>Stopping</c>.</summary>
internal sealed class StoppingOptions
{
    public const string Section = "Stopping";

    /// <summary>The longest that <see cref="ServeFor"/> may be.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long requests are still served once the service has been told to stop. It must be longer than the proxy takes to notice that the
    /// service is not ready. Zero closes the listener at once, which is right where no proxy and no balancer stands before the service.
    /// </summary>
    /// <value>Between zero and 5 minutes. The default is 10 seconds.</value>
    public TimeSpan ServeFor { get; set; } = TimeSpan.FromSeconds(10);
}

internal sealed class StoppingValidation : IValidateOptions<StoppingOptions>
{
    public ValidateOptionsResult Validate(string? name, StoppingOptions options) =>
        options.ServeFor >= TimeSpan.Zero && options.ServeFor <= StoppingOptions.Longest
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"{StoppingOptions.Section}:ServeFor = '{options.ServeFor}': it must be from 00:00:00 to {StoppingOptions.Longest}.");
}
