using System.Security.Cryptography;
using System.Text;

namespace Ticketing.Demo;

/// <summary>The secrets of one run. They are random, so that no other program can know them in advance.</summary>
internal sealed record DemoSecrets(string SigningKey, string ViewerToken, string OperatorToken, string WebhookToken, string RedactionKey)
{
    /// <summary>The name of the operator's token.</summary>
    public const string Operator = "demo-operator";

    public static DemoSecrets Draw() => new(Random(), Random(), Random(), Random(), Random());

    /// <summary>The service's settings with these secrets; of the operators' tokens only the hashes.</summary>
    public IEnumerable<KeyValuePair<string, string?>> Settings =>
    [
        new("Authentication:SigningKey", SigningKey),
        new("Operators:Tokens:0:Name", "demo-viewer"),
        new("Operators:Tokens:0:Role", "viewer"),
        new("Operators:Tokens:0:Sha256", Hash(ViewerToken)),
        new("Operators:Tokens:1:Name", Operator),
        new("Operators:Tokens:1:Role", "operator"),
        new("Operators:Tokens:1:Sha256", Hash(OperatorToken)),
        new("Operators:Tokens:2:Name", "demo-webhook"),
        new("Operators:Tokens:2:Role", "webhook"),
        new("Operators:Tokens:2:Sha256", Hash(WebhookToken)),
        new("Shadowing:RedactionKey", RedactionKey),
    ];

    private static string Random() => RandomNumberGenerator.GetHexString(64, lowercase: true);

    private static string Hash(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
