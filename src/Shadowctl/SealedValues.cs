using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Shadowctl;

/// <summary>Decrypts the values of sealed samples, with a private key that stays on this machine.</summary>
internal sealed class SealedValues : IDisposable
{
    private const int TagSize = 16;
    private readonly RSA _key = RSA.Create();

    /// <param name="file">A private key in PEM, without a password.</param>
    /// <exception cref="RefusedException">It is none, or cannot be read.</exception>
    public SealedValues(FileInfo file)
    {
        try
        {
            _key.ImportFromPem(File.ReadAllText(file.FullName));
            // A public key is read alike; it opens nothing.
            _ = _key.ExportParameters(includePrivateParameters: true);
        }
        catch (Exception unreadable) when (unreadable is ArgumentException or CryptographicException or IOException
            or UnauthorizedAccessException)
        {
            _key.Dispose();
            throw new RefusedException(ExitCodes.Usage, $"{file.Name} is no private RSA key in PEM without a password, or cannot be read.");
        }
    }

    /// <summary>Each sample with its values in place of the encrypted ones; those that another key opens say so.</summary>
    public JsonArray Read(JsonNode answer) =>
        new([.. answer["samples"]!.AsArray().Select(sample => Read((string)answer["operation"]!, sample!))]);

    public void Dispose() => _key.Dispose();

    private JsonObject Read(string operation, JsonNode sample)
    {
        var read = new JsonObject { ["at"] = sample["at"]?.DeepClone(), ["replica"] = sample["replica"]?.DeepClone() };
        var held = sample["sealed"]!;
        try
        {
            var once = _key.Decrypt(Bytes("key"), RSAEncryptionPadding.OaepSHA256);
            var text = Bytes("text");
            var plain = new byte[text.Length - TagSize];
            using var cipher = new AesGcm(once, TagSize);
            cipher.Decrypt(
                Bytes("nonce"), text.AsSpan(..plain.Length), text.AsSpan(plain.Length..), plain, Encoding.UTF8.GetBytes(operation));
            foreach (var (name, value) in JsonNode.Parse(plain)!.AsObject()) read[name] = Parsed((string)value!);
        }
        catch (CryptographicException)
        {
            read["unreadable"] = $"It is for the key {(string?)held["keyId"]}, and this one does not open it.";
        }

        return read;

        byte[] Bytes(string name) => Convert.FromBase64String((string)held[name]!);
    }

    /// <summary>As JSON; a long text is cut and stays one.</summary>
    private static JsonNode? Parsed(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (System.Text.Json.JsonException)
        {
            return text;
        }
    }
}
