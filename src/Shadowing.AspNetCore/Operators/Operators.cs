using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Shadowing.AspNetCore.Operators;

/// <summary>The section <c>Operators</c>: who may look at shadowing, and who may change it.</summary>
internal sealed class OperatorsOptions
{
    public const string Section = "Operators";

    /// <summary>Tokens by their hash; with none, only JWTs of <see cref="Issuer"/> are accepted.</summary>
    public List<OperatorToken> Tokens { get; } = [];

    /// <summary>The issuer of JWTs that are accepted besides <see cref="Tokens"/>. A change needs a restart.</summary>
    public OperatorIssuer Issuer { get; set; } = new();

    /// <summary>The console in the browser. A change of what is not its idle time needs a restart.</summary>
    public OperatorConsole Console { get; set; } = new();

    /// <summary>How many requests a second one address may send; rollbacks and alerts are never counted.</summary>
    public int RequestsPerSecond { get; set; } = 50;
}

/// <summary>
/// An issuer of JWTs, whose claim <c>role</c> is <c>viewer</c> or <c>operator</c> and whose <c>name</c>, or else <c>sub</c>, is audited.
/// </summary>
internal sealed class OperatorIssuer
{
    /// <summary>The value that <c>iss</c> must have; null or empty: no JWT is accepted.</summary>
    public string? Issuer { get; set; }

    /// <summary>The value that <c>aud</c> must have.</summary>
    public string? Audience { get; set; }

    /// <summary>
    /// The issuer's RSA or EC public key in PEM; null or empty: the key is found through OpenID discovery at the issuer.
    /// </summary>
    public string? PublicKey { get; set; }

    internal bool IsSet => !string.IsNullOrEmpty(Issuer);

    internal IEnumerable<string> Failures(string path)
    {
        if (!IsSet) yield break;
        if (string.IsNullOrEmpty(Audience))
            yield return $"{path}:Audience is missing: without it, a token that was issued for another service would be taken.";
        if (string.IsNullOrEmpty(PublicKey) && !Issuer!.StartsWith("https://", StringComparison.Ordinal))
            yield return $"{path}:Issuer = '{Issuer}': without a PublicKey it must begin with https://.";
        if (!string.IsNullOrEmpty(PublicKey) && Key() is null) yield return $"{path}:PublicKey is no RSA or EC public key in PEM.";
    }

    internal SecurityKey? Key()
    {
        try
        {
            var rsa = RSA.Create();
            rsa.ImportFromPem(PublicKey);
            return new RsaSecurityKey(rsa);
        }
        catch (Exception noRsa) when (noRsa is ArgumentException or CryptographicException)
        {
            try
            {
                var curve = ECDsa.Create();
                curve.ImportFromPem(PublicKey);
                return new ECDsaSecurityKey(curve);
            }
            catch (Exception noCurve) when (noCurve is ArgumentException or CryptographicException)
            {
                return null;
            }
        }
    }
}

/// <summary>The console in the browser.</summary>
internal sealed class OperatorConsole
{
    /// <summary>Whether there is one. The API does not depend on it.</summary>
    /// <value>The default is true.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>The only port that answers it, as where it may not be reached from outside; null: every port of the application.</summary>
    /// <value>Between 1 and 65535. The application must listen on it.</value>
    public int? Port { get; set; }

    /// <summary>After how long without a request of the user's a session ends. What a page fetches by itself is no such request.</summary>
    /// <value>Between 1 second and 12 hours. The default is 30 minutes.</value>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(30);

    internal IEnumerable<string> Failures(string path)
    {
        if (Port is < 1 or > 65535) yield return $"{path}:Port = '{Port}': it is between 1 and 65535.";
        if (IdleTimeout < TimeSpan.FromSeconds(1) || IdleTimeout > TimeSpan.FromHours(12))
            yield return $"{path}:IdleTimeout = '{IdleTimeout}': it is between 00:00:01 and 12:00:00.";
    }
}

/// <summary>One token. The configuration knows only its hash.</summary>
internal sealed class OperatorToken
{
    /// <summary>The name of its owner, for the audit.</summary>
    public string Name { get; set; } = "";

    /// <summary>
    /// <c>viewer</c>; <c>operator</c>, which includes the rights of a viewer; or <c>webhook</c>, which may only send alerts.
    /// </summary>
    public string Role { get; set; } = "";

    /// <summary>SHA-256 of the token's UTF-8 bytes, 64 hexadecimal digits. The token itself should be random, 128 bits or more.</summary>
    public string Sha256 { get; set; } = "";

    internal bool Matches(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(Convert.FromHexString(Sha256), hash);
}

internal sealed class OperatorsValidation : IValidateOptions<OperatorsOptions>
{
    public ValidateOptionsResult Validate(string? name, OperatorsOptions options)
    {
        string[] failures =
        [
            .. options.Tokens.SelectMany((token, index) => Failures(token, $"{OperatorsOptions.Section}:Tokens:{index}")),
            .. options.Issuer.Failures($"{OperatorsOptions.Section}:Issuer"),
            .. options.Console.Failures($"{OperatorsOptions.Section}:Console"),
        ];
        if (options.RequestsPerSecond is < 1 or > 100_000)
            failures =
                [.. failures, $"{OperatorsOptions.Section}:RequestsPerSecond = '{options.RequestsPerSecond}': it is between 1 and 100000."];
        return failures.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static IEnumerable<string> Failures(OperatorToken token, string path)
    {
        if (token.Name.Length == 0) yield return $"{path}:Name is missing.";
        if (token.Role is not (OperatorRoles.Viewer or OperatorRoles.Operator or OperatorRoles.Webhook))
            yield return $"{path}:Role = '{token.Role}': it is '{OperatorRoles.Viewer}', '{OperatorRoles.Operator}' or "
                + $"'{OperatorRoles.Webhook}'.";
        if (token.Sha256.Length != 64 || !token.Sha256.All(char.IsAsciiHexDigit))
            yield return $"{path}:Sha256 has {token.Sha256.Length} characters: it is the token's SHA-256 in 64 hexadecimal digits.";
    }
}

internal static class OperatorRoles
{
    public const string Viewer = "viewer";
    public const string Operator = "operator";
    public const string Webhook = "webhook";
}
