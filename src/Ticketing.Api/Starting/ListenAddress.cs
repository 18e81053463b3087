namespace Ticketing.Api.Starting;

/// <summary>Where the service listens when nothing says so: where shadowctl and the scrape configuration look for it.</summary>
internal static class ListenAddress
{
    public const string Default = "http://127.0.0.1:5080";

    private static readonly string[] Settings = ["urls", "http_ports", "https_ports"];

    public static void Apply(WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        if (Settings.All(setting => string.IsNullOrEmpty(configuration[setting]))
            && !configuration.GetSection("Kestrel:Endpoints").Exists())
            builder.WebHost.UseUrls(Default);
    }
}
