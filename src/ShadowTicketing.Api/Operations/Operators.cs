using System.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace ShadowTicketing.Api.Operations;

/// <summary>The section <c>Operators</c>: who may look at shadowing, and who may change it.</summary>
internal sealed class OperatorsOptions
{
    public const string Section = "Operators";

    /// <summary>Tokens by their hash; none means that nobody gets in.</summary>
    public List<OperatorToken> Tokens { get; } = [];
}

/// <summary>One token. The configuration knows only its hash.</summary>
internal sealed class OperatorToken
{
    /// <summary>Whose it is, for the audit.</summary>
    public string Name { get; set; } = "";

    /// <summary><c>viewer</c> or <c>operator</c>; an operator may do what a viewer may.</summary>
    public string Role { get; set; } = "";

    /// <summary>SHA-256 of the token's UTF-8 bytes, 64 hexadecimal digits. The token itself should be random, 128 bits or more.</summary>
    public string Sha256 { get; set; } = "";

    internal bool Matches(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(Convert.FromHexString(Sha256), hash);
}

internal sealed class OperatorsValidation : IValidateOptions<OperatorsOptions>
{
    public ValidateOptionsResult Validate(string? name, OperatorsOptions options)
    {
        string[] failures = [.. options.Tokens.SelectMany((token, index) => Failures(token, $"{OperatorsOptions.Section}:Tokens:{index}"))];
        return failures.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static IEnumerable<string> Failures(OperatorToken token, string path)
    {
        if (token.Name.Length == 0) yield return $"{path}:Name is missing.";
        if (token.Role is not (OperatorRoles.Viewer or OperatorRoles.Operator))
            yield return $"{path}:Role = '{token.Role}': it is '{OperatorRoles.Viewer}' or '{OperatorRoles.Operator}'.";
        if (token.Sha256.Length != 64 || !token.Sha256.All(char.IsAsciiHexDigit))
            yield return $"{path}:Sha256 has {token.Sha256.Length} characters: it is the token's SHA-256 in 64 hexadecimal digits.";
    }
}

internal static class OperatorRoles
{
    public const string Viewer = "viewer";
    public const string Operator = "operator";
}
