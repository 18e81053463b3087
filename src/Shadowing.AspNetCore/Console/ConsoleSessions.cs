using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.AspNetCore.Console.Signing;
using Shadowing.AspNetCore.Operators;
using Shadowing.Supervision;

namespace Shadowing.AspNetCore.Console;

/// <summary>Begins and ends sessions.</summary>
internal sealed class ConsoleSessions(
    ConsoleSignIn links, LastValid<OperatorsOptions> operators, IAuthenticationSchemeProvider schemes, TimeProvider clock,
    ILogger<ConsoleSessions> logger)
{
    /// <summary>The form; or with a link's code, the session itself.</summary>
    public async Task AskAsync(HttpContext context)
    {
        var root = ConsoleCookie.RootOf(context);
        if (context.Request.Query["once"] is not [{ } code])
        {
            await FormAsync(context, root, "", StatusCodes.Status200OK);
            return;
        }

        if (links.Take(code) is { } token)
            await BeginAsync(context, root, Create(token.Name, token.Role, token.Sha256), null);
        else
            await FormAsync(
                context, root, "This link was used already, or is too old. Sign in with a token.", StatusCodes.Status403Forbidden);
    }

    /// <summary>The form as it was sent.</summary>
    public async Task SignInAsync(HttpContext context)
    {
        var root = ConsoleCookie.RootOf(context);
        if (!Forgery.IsSameSite(context.Request))
        {
            await FormAsync(context, root, "That form came from another site. Sign in here.", StatusCodes.Status400BadRequest);
            return;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var token = form["token"].ToString().Trim();
        // As a client of the API shows it, so that there is one place that judges tokens.
        context.Request.Headers.Authorization = $"Bearer {token}";
        var known = await context.AuthenticateAsync(OperatorAuthentication.SchemeName);
        if (known is { Succeeded: true, Principal: { } holder } && MayEnter(holder))
        {
            var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
            await BeginAsync(context, root, Create(holder.Identity!.Name!, holder.FindFirstValue("role")!, hash), null);
            return;
        }

        if (operators.Current.Issuer.IsSet && await schemes.GetSchemeAsync(OperatorAuthentication.IssuerScheme) is not null)
        {
            var issued = await context.AuthenticateAsync(OperatorAuthentication.IssuerScheme);
            if (issued is { Succeeded: true, Principal: { } subject } && MayEnter(subject))
            {
                await BeginAsync(context, root, Create(
                    subject.Identity?.Name ?? "", subject.FindFirstValue("role")!, ConsoleClaims.FromIssuer),
                    issued.Properties?.ExpiresUtc ?? Expires(subject));
                return;
            }
        }

        await FormAsync(context, root, "This token is not an operator's or a viewer's.", StatusCodes.Status403Forbidden);
    }

    public static async Task SignOutAsync(HttpContext context)
    {
        await context.SignOutAsync(ConsoleClaims.Scheme);
        See(context, $"{ConsoleCookie.RootOf(context)}/sign-in");
    }

    /// <summary>Leads on to a page: after a form, so that loading it again sends nothing twice.</summary>
    public static void See(HttpContext context, string address)
    {
        ConsoleAnswer.Protect(context.Response.Headers);
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = address;
    }

    private ClaimsPrincipal Create(string name, string role, string token) =>
        ConsoleClaims.Create(name, role, token.ToLowerInvariant(), clock.GetUtcNow());

    private static bool MayEnter(ClaimsPrincipal user) =>
        user.FindFirstValue("role") is OperatorRoles.Viewer or OperatorRoles.Operator;

    private static DateTimeOffset? Expires(ClaimsPrincipal user) =>
        long.TryParse(user.FindFirstValue("exp"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    /// <param name="until">When what was shown expires, and the session with it; null where it does not.</param>
    private async Task BeginAsync(HttpContext context, string root, ClaimsPrincipal user, DateTimeOffset? until)
    {
        var (now, idle) = (clock.GetUtcNow(), clock.GetUtcNow() + operators.Current.Console.IdleTimeout);
        try
        {
            await context.SignInAsync(ConsoleClaims.Scheme, user, new()
            {
                IssuedUtc = now,
                ExpiresUtc = until < idle ? until : idle,
                AllowRefresh = until is null,
                IsPersistent = false,
            });
        }
#pragma warning disable CA1031 // Keys come from the store; whatever keeps them away, no session begins and the page says so.
        catch (Exception failure)
        {
            ConsoleLog.KeysAway(logger, failure);
            await FormAsync(context, root, "The keys of sessions cannot be read from the evidence store. Try again, or use shadowctl.",
                StatusCodes.Status503ServiceUnavailable);
            return;
        }
#pragma warning restore CA1031

        See(context, Target(context, root));
    }

    /// <summary>The page that was asked for first; only one of the console.</summary>
    private static string Target(HttpContext context, string root) =>
        context.Request.Query["to"] is [{ } to] && (to == root || to.StartsWith(root + "/", StringComparison.Ordinal)
            || to.StartsWith(root + "?", StringComparison.Ordinal)) && !to.Contains('\\', StringComparison.Ordinal)
            && !to.Any(char.IsControl) && root.Length > 0 ? to : root.Length > 0 ? root : "/";

    private static Task FormAsync(HttpContext context, string root, string fault, int status)
    {
        var to = context.Request.Query["to"] is [{ Length: > 0 } asked] ? $"?to={Uri.EscapeDataString(asked)}" : "";
        return ConsoleAnswer.SendAsync(context, Layout.Bare(root, "Sign in", Html.From(
            $"""
            <form class="signin" method="post" action="{root}/sign-in{to}"><h1>Shadowing</h1>
            <p>Sign in with the token of an operator or a viewer.</p>{Html.If(fault.Length > 0, () => Html.From(
                $"""<p class="banner stale" role="alert" id="fault">{fault}</p>"""))}
            <label>Token <input name="token" type="password" required autocomplete="current-password" autofocus></label>
            <button>Sign in</button></form>
            """)), status);
    }
}
