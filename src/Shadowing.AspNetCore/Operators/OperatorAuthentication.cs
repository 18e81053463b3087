using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Shadowing.AspNetCore.Problems;
using Shadowing.Model;
using Shadowing.Supervision;

namespace Shadowing.AspNetCore.Operators;

/// <summary>Accepts a token whose hash is in the configuration. A user's access token is not one.</summary>
internal sealed class OperatorAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder,
    LastValid<OperatorsOptions> operators, OperatorLimit limit, RefusalAudit refusals, JunkTokens junk)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "operator";

    /// <summary>The scheme of an issuer's tokens.</summary>
    public const string IssuerScheme = "operator-jwt";

    private const string Prefix = "Bearer ";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // Where the application has not put the limit before the authentication.
        if (Context.GetEndpoint()?.Metadata.GetMetadata<OperatorLimit.Limited>() is { Applies: true } && !limit.Allows(Context))
            throw new RefusedException(Refusal.TooManyRequests);
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)) return Task.FromResult(AuthenticateResult.NoResult());

        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(header[Prefix.Length..].Trim()));
        if (operators.Current.Tokens.Find(token => token.Matches(hash)) is not { } known)
        {
            // A JWT of the issuer is looked at elsewhere.
            var isLimited = Context.GetEndpoint()?.Metadata.GetMetadata<OperatorLimit.Limited>() is { Applies: true };
            if (!isLimited && !operators.Current.Issuer.IsSet && junk.IsTooMany(Context.Connection.RemoteIpAddress))
                throw new RefusedException(Refusal.TooManyRequests);
            return Task.FromResult(AuthenticateResult.Fail("Unknown token."));
        }

        var identity = new ClaimsIdentity([new("name", PlainText.Clean(known.Name, PlainText.LongestName)), new("role", known.Role)],
            SchemeName, "name", "role");
        return Task.FromResult(AuthenticateResult.Success(new(new(identity), SchemeName)));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties) =>
        throw new RefusedException(await HandleAuthenticateOnceAsync() is { None: true } ? Refusal.TokenMissing
            : Refusal.OperatorTokenInvalid);

    protected override async Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        await refusals.AddAsync(Context);
        throw new RefusedException(Refusal.OperatorForbidden);
    }
}
