using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Ticketing.Demo.Traffic;

/// <summary>Signs people in: HS256 tokens as the legacy service issued them, good for a month.</summary>
/// <param name="signingKey">At least 32 bytes in UTF-8; the service must have the same.</param>
internal sealed class AccessTokens(string signingKey, TimeProvider clock)
{
    private static readonly TimeSpan Life = TimeSpan.FromDays(30);
    private static readonly string Header = Encode(new { alg = "HS256", typ = "JWT" });

    private readonly byte[] _key = Encoding.UTF8.GetBytes(signingKey);
    private readonly ConcurrentDictionary<int, string> _tokens = [];

    public string TokenFor(Actor actor) =>
        _tokens.GetOrAdd(actor.UserId, static (_, given) => given.tokens.Mint(given.actor), (tokens: this, actor));

    private string Mint(Actor actor)
    {
        var claims = new
        {
            userId = actor.UserId,
            email = actor.Email,
            role = actor.Role,
            type = "access",
            exp = (clock.GetUtcNow() + Life).ToUnixTimeSeconds(),
        };
        var signed = $"{Header}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes(signed)))}";
    }

    private static string Encode<T>(T part) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));
}
