using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Ticketing.Api.Tests.Http;

/// <summary>Issues what the login service would issue, and what it never would.</summary>
internal static class AccessTokens
{
    public const string SigningKey = "a key for tests that is long enough for every algorithm: 64 bytes and more";

    public static string For(int userId, string role = "user") => Of(Claims(userId, role));

    public static Dictionary<string, object> Claims(object userId, string role = "user") =>
        new() { ["userId"] = userId, ["email"] = "someone@example.com", ["role"] = role, ["type"] = "access" };

    public static string Of(
        Dictionary<string, object> claims, TimeSpan? expiresIn = null, string algorithm = SecurityAlgorithms.HmacSha256, string key = SigningKey) =>
        Create(claims, expiresIn ?? TimeSpan.FromHours(1), new(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(key)), algorithm));

    public static string WithoutExpiry(Dictionary<string, object> claims) =>
        Create(claims, null, new(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(SigningKey)), SecurityAlgorithms.HmacSha256));

    public static string Unsigned(Dictionary<string, object> claims) => Create(claims, TimeSpan.FromHours(1), null);

    public static string SignedByRsa(Dictionary<string, object> claims)
    {
        using var rsa = RSA.Create(2048);
        var key = new RsaSecurityKey(rsa) { CryptoProviderFactory = new() { CacheSignatureProviders = false } };
        return Create(claims, TimeSpan.FromHours(1), new(key, SecurityAlgorithms.RsaSha256));
    }

    private static string Create(Dictionary<string, object> claims, TimeSpan? expiresIn, SigningCredentials? credentials)
    {
        var payload = new Dictionary<string, object>(claims);
        if (expiresIn is { } lifetime) payload["exp"] = DateTimeOffset.UtcNow.Add(lifetime).ToUnixTimeSeconds();
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }
            .CreateToken(new SecurityTokenDescriptor { Claims = payload, SigningCredentials = credentials });
    }
}
