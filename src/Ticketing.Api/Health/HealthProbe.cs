using System.Globalization;
using Ticketing.Api.Starting;

namespace Ticketing.Api.Health;

/// <summary>
/// Asks the service beside it whether it lives: <c>dotnet Ticketing.Api.dll healthcheck</c>. An image without a shell has nothing else to
/// ask
/// with.
/// </summary>
internal static class HealthProbe
{
    public const string Command = "healthcheck";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <returns>0 where it lives, else 1, as container engines want it.</returns>
    public static async Task<int> RunAsync()
    {
        try
        {
            using var http = new HttpClient { Timeout = Patience };
            using var answer = await http.GetAsync(new Uri(Address(), "/health/live"));
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception away) when (away is HttpRequestException or OperationCanceledException or UriFormatException)
        {
            return 1;
        }
    }

    /// <summary>Where the service listens, by the same variables.</summary>
    private static Uri Address()
    {
        var ports = Environment.GetEnvironmentVariable("ASPNETCORE_HTTP_PORTS") ?? Environment.GetEnvironmentVariable("DOTNET_HTTP_PORTS");
        var url = Environment.GetEnvironmentVariable("ASPNETCORE_URLS")?.Split(';')[0]
            ?? (string.IsNullOrEmpty(ports) ? ListenAddress.Default
                : string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ports.Split(';')[0]}"));
        return new(url.Replace("://+", "://127.0.0.1", StringComparison.Ordinal).Replace("://*", "://127.0.0.1", StringComparison.Ordinal)
            .Replace("://0.0.0.0", "://127.0.0.1", StringComparison.Ordinal).Replace("://[::]", "://127.0.0.1", StringComparison.Ordinal));
    }
}
