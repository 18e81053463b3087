using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using Shadowing.Settings;

namespace Ticketing.Api.Accounts;

internal static class AccountsRegistration
{
    public static IServiceCollection AddAccounts(this IServiceCollection services)
    {
        services.AddOptions<AuthenticationSettings>().BindReadable("Authentication").ValidateOnStart();
        services.AddSingleton<IValidateOptions<AuthenticationSettings>, SigningKeyValidation>();
        services.AddSingleton<AccountReader>();

        // No default scheme: it would try a user's token on every request, those of operators among them, and log that it is none.
        services.AddAuthentication().AddJwtBearer();
        services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme)
            .Configure<IOptions<AuthenticationSettings>>((bearer, settings) =>
        {
            bearer.MapInboundClaims = false;
            bearer.Events = new AccessTokenEvents();
            bearer.TokenValidationParameters = new()
            {
                IssuerSigningKey = new SymmetricSecurityKey(settings.Value.SigningKeyBytes),
                ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
                RequireExpirationTime = true,
                RequireSignedTokens = true,
                ClockSkew = TimeSpan.Zero,
                // The issuer of these tokens names neither.
                ValidateIssuer = false,
                ValidateAudience = false,
            };
        });
        services.AddAuthorization();
        return services;
    }

    public static void UseAccounts(this WebApplication app) => app.UseMiddleware<AccountMiddleware>();

    /// <summary>Lets only active users in, and gives the endpoints their <see cref="CurrentUser"/>.</summary>
    public static TBuilder RequireAccount<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder =>
        endpoints
            .RequireAuthorization(policy => policy
                .AddAuthenticationSchemes(JwtBearerDefaults.AuthenticationScheme).RequireAuthenticatedUser())
            .WithMetadata(AccountRequired.Instance);
}

internal sealed class AccountRequired
{
    public static readonly AccountRequired Instance = new();
}
