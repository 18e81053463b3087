using System.Net;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;
using Shadowing.Settings;
using IPNetwork = System.Net.IPNetwork;

namespace Ticketing.Api.Http;

/// <summary>Section <c>Proxies</c>: whose forwarded headers are believed.</summary>
internal sealed class ProxySettings
{
    public const string Section = "Proxies";

    /// <summary>Addresses, or networks as <c>10.0.0.0/8</c>, of proxies in front of the service.</summary>
    /// <value>None by default: then forwarded headers are ignored, and each limit is per connection's address.</value>
    public List<string> Known { get; } = [];
}

internal sealed class ProxyValidation : IValidateOptions<ProxySettings>
{
    public ValidateOptionsResult Validate(string? name, ProxySettings options)
    {
        string[] failures =
        [
            .. options.Known.Where(known => !IPAddress.TryParse(known, out _) && !IPNetwork.TryParse(known, out _))
                .Select(known => $"{ProxySettings.Section}:Known = '{known}': it is an address or a network such as 10.0.0.0/8."),
        ];
        return failures.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}

/// <summary>Takes a client's address from a known proxy, and from no other sender.</summary>
internal static class Proxies
{
    public static IServiceCollection AddProxies(this IServiceCollection services)
    {
        services.AddOptions<ProxySettings>().BindReadable(ProxySettings.Section).ValidateOnStart();
        return services.AddSingleton<IValidateOptions<ProxySettings>, ProxyValidation>();
    }

    /// <summary>To stand before everything that looks at the client's address.</summary>
    public static void UseProxies(this WebApplication app)
    {
        var known = app.Services.GetRequiredService<IOptions<ProxySettings>>().Value.Known;
        if (known.Count == 0) return;
        var options = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto,
            // As far as senders are known: what comes before them was written by the client.
            ForwardLimit = null,
        };
        options.KnownIPNetworks.Clear();
        options.KnownProxies.Clear();
        foreach (var one in known)
        {
            if (IPAddress.TryParse(one, out var address)) options.KnownProxies.Add(address);
            else options.KnownIPNetworks.Add(IPNetwork.Parse(one));
        }

        app.UseForwardedHeaders(options);
    }
}
