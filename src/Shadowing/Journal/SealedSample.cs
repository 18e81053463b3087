using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Shadowing.Journal;

/// <summary>The values of one mismatch, encrypted to a public key. The service cannot read them again.</summary>
/// <param name="KeyId">
/// Whose key: the first 16 hexadecimal digits of the SHA-256 of its public part in DER (SubjectPublicKeyInfo).
/// </param>
/// <param name="Key">A new AES-256 key, encrypted with RSA-OAEP-256; in base64, as the other members.</param>
/// <param name="Nonce">12 bytes.</param>
/// <param name="Text">
/// A JSON object with the texts <c>request</c>, <c>control</c> and <c>candidate</c>, encrypted with AES-GCM and followed by its 16-byte
/// tag; the operation's name, in UTF-8, is authenticated with it.
/// </param>
public sealed record SealedSample(string KeyId, string Key, string Nonce, string Text)
{
    private const int TagSize = 16;

    internal static SealedSample Seal(RSA key, string operation, RawSample raw)
    {
        var (once, nonce) = (RandomNumberGenerator.GetBytes(32), RandomNumberGenerator.GetBytes(12));
        var plain = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["request"] = raw.Request,
            ["control"] = raw.Control,
            ["candidate"] = raw.Candidate,
        }.ToJsonString());
        var text = new byte[plain.Length + TagSize];
        using (var cipher = new AesGcm(once, TagSize))
            cipher.Encrypt(nonce, plain, text.AsSpan(..plain.Length), text.AsSpan(plain.Length..), Encoding.UTF8.GetBytes(operation));
        return new(
            IdOf(key), Convert.ToBase64String(key.Encrypt(once, RSAEncryptionPadding.OaepSHA256)), Convert.ToBase64String(nonce),
            Convert.ToBase64String(text));
    }

    private static string IdOf(RSA key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..16];
}
