using System.Security.Claims;
using System.Security.Cryptography;

namespace Shadowing.AspNetCore.Console.Signing;

/// <summary>What the cookie of a session says.</summary>
internal static class ConsoleClaims
{
    public const string Scheme = "shadow-console";

    /// <summary>The session, in its forms too.</summary>
    public const string Session = "session";

    /// <summary>The hash of the token that was shown; <c>issuer</c> for one of an issuer.</summary>
    public const string Token = "token";

    /// <summary>When it was shown, in seconds of Unix time.</summary>
    public const string Since = "since";

    public const string FromIssuer = "issuer";

    /// <summary>However busy, a session ends after this.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(12);

    public static ClaimsPrincipal Create(string name, string role, string token, DateTimeOffset now) => new(new ClaimsIdentity(
        [
            new("name", name), new("role", role), new(Token, token),
            new(Session, RandomNumberGenerator.GetHexString(32, lowercase: true)),
            new(Since, now.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture)),
        ],
        Scheme, "name", "role"));
}
