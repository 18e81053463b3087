using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;

namespace Shadowing.AspNetCore.Console.Signing;

/// <summary>
/// Tells a form that a page of this console sent from one that another site forged: by a mark that only the session's pages have, and by
/// where the browser says that the request comes from.
/// </summary>
internal sealed class Forgery(ConsoleKeys keys)
{
    /// <summary>The name of the field.</summary>
    public const string Field = "mark";

    private readonly IDataProtector _protector = keys.Protection.CreateProtector("forms");

    public string MarkOf(ClaimsPrincipal user) => Convert.ToBase64String(
        _protector.Protect(Encoding.UTF8.GetBytes(user.FindFirstValue(ConsoleClaims.Session) ?? "")));

    public bool IsOwn(HttpContext context, string? mark)
    {
        if (!IsSameSite(context.Request) || mark is null || context.User.FindFirstValue(ConsoleClaims.Session) is not { } session)
            return false;
        try
        {
            return CryptographicOperations.FixedTimeEquals(
                _protector.Unprotect(Convert.FromBase64String(mark)), Encoding.UTF8.GetBytes(session));
        }
        catch (Exception forged) when (forged is CryptographicException or FormatException)
        {
            return false;
        }
    }

    /// <summary>By what the browser says of itself; a client that says nothing is none that another site could have sent.</summary>
    public static bool IsSameSite(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"] is [{ } site]) return site is "same-origin" or "none";
        return request.Headers.Origin is not [{ } origin]
            || (Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority == request.Host.Value);
    }
}
