using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Authentication.Cookies;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.AspNetCore.Operators;
using Shadowing.Supervision;

namespace Shadowing.AspNetCore.Console.Signing;

/// <summary>Metadata of the console's endpoints: what they are mapped to.</summary>
internal sealed record ConsoleRoot(string Prefix);

/// <summary>How the cookie of a session is made, renewed and refused.</summary>
internal static class ConsoleCookie
{
    public static void Configure(CookieAuthenticationOptions options, ConsoleKeys keys)
    {
        options.DataProtectionProvider = keys.Protection;
        options.Cookie.Name = "shadow-console";
        options.Cookie.HttpOnly = true;
        options.Cookie.SameSite = SameSiteMode.Strict;
        options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        options.Cookie.IsEssential = true;
        options.SlidingExpiration = true;
        options.Events = new()
        {
            OnValidatePrincipal = static context =>
            {
                if (!IsValid(context)) context.RejectPrincipal();
                return Task.CompletedTask;
            },
            // A page that is open and fetches by itself does not keep its session alive.
            OnCheckSlidingExpiration = static context =>
            {
                context.ShouldRenew = !IsStream(context.HttpContext);
                return Task.CompletedTask;
            },
            OnRedirectToLogin = static context =>
            {
                var (http, root) = (context.HttpContext, RootOf(context.HttpContext));
                if (IsStream(http)) http.Response.StatusCode = StatusCodes.Status401Unauthorized;
                else
                {
                    var to = HttpMethods.IsGet(http.Request.Method)
                        ? $"{http.Request.PathBase}{http.Request.Path}{http.Request.QueryString}" : root;
                    http.Response.Redirect($"{root}/sign-in?to={Uri.EscapeDataString(to)}");
                }

                return Task.CompletedTask;
            },
            OnRedirectToAccessDenied = static async context =>
            {
                await context.HttpContext.RequestServices.GetRequiredService<RefusalAudit>().AddAsync(context.HttpContext);
                await ConsoleAnswer.ForbiddenAsync(context.HttpContext, RootOf(context.HttpContext));
            },
        };
    }

    public static string RootOf(HttpContext context) =>
        $"{context.Request.PathBase}{context.GetEndpoint()?.Metadata.GetMetadata<ConsoleRoot>()?.Prefix}";

    public static bool IsStream(HttpContext context) =>
        context.Request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.Ordinal);

    /// <summary>Whether the token that the session began with is still there, with its role, and the session is not too old.</summary>
    private static bool IsValid(CookieValidatePrincipalContext context)
    {
        if (context.Principal is not { Identity: ClaimsIdentity identity } user) return false;
        var services = context.HttpContext.RequestServices;
        var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        if (!long.TryParse(user.FindFirstValue(ConsoleClaims.Since), NumberStyles.None, CultureInfo.InvariantCulture, out var since)
            || now - DateTimeOffset.FromUnixTimeSeconds(since) > ConsoleClaims.Longest) return false;
        var shown = user.FindFirstValue(ConsoleClaims.Token) ?? "";
        if (shown == ConsoleClaims.FromIssuer) return true;
        var tokens = services.GetRequiredService<LastValid<OperatorsOptions>>().Current.Tokens;
        return shown.Length == 2 * SHA256.HashSizeInBytes && tokens.Exists(
            token => token.Role == user.FindFirstValue("role") && token.Matches(Convert.FromHexString(shown)));
    }
}
