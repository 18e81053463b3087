using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.Tokens;
using Shadowing.AspNetCore.Problems;
using Ticketing.Api.Problems;

namespace Ticketing.Api.Accounts;

/// <summary>What makes a sound token one of ours, and how its refusal reads.</summary>
internal sealed class AccessTokenEvents : JwtBearerEvents
{
    public static int? UserIdOf(ClaimsPrincipal principal) =>
        principal.FindFirstValue("userId") is [>= '1' and <= '9', ..] text
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;

    public override Task TokenValidated(TokenValidatedContext context)
    {
        if (context.Principal?.FindFirstValue("type") is not "access"
            || UserIdOf(context.Principal) is null) context.Fail("Not an access token.");
        return Task.CompletedTask;
    }

    public override Task Challenge(JwtBearerChallengeContext context)
    {
        context.HandleResponse();
        throw new RefusedException(context.AuthenticateFailure switch
        {
            null => Refusal.TokenMissing,
            SecurityTokenExpiredException => TicketRefusals.TokenExpired,
            _ => TicketRefusals.TokenInvalid,
        });
    }
}
