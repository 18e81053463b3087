using System.Text;
using Microsoft.Extensions.Options;

namespace Ticketing.Api.Accounts;

/// <summary>Section <c>Authentication</c>.</summary>
internal sealed class AuthenticationSettings
{
    /// <summary>The secret that access tokens are signed with, HS256.</summary>
    /// <value>At least 32 bytes in UTF-8. There is no default.</value>
    public string SigningKey { get; set; } = "";

    public byte[] SigningKeyBytes => Encoding.UTF8.GetBytes(SigningKey);
}

internal sealed class SigningKeyValidation : IValidateOptions<AuthenticationSettings>
{
    // The one setting whose value is not quoted: it is a secret.
    public ValidateOptionsResult Validate(string? name, AuthenticationSettings options) => options.SigningKeyBytes.Length switch
    {
        0 => ValidateOptionsResult.Fail("Authentication:SigningKey is missing; it needs at least 32 bytes."),
        < 32 and var length => ValidateOptionsResult.Fail($"Authentication:SigningKey has {length} bytes; it needs at least 32."),
        _ => ValidateOptionsResult.Success,
    };
}
