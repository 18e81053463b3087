using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using Ticketing.Api.Tickets;
using Shadowing.Hosting;

namespace Ticketing.Api.Operations;

internal static class OperationsRegistration
{
    /// <summary>The policy of routes that only look.</summary>
    public const string MayView = "shadow.view";

    /// <summary>The policy of routes that change something.</summary>
    public const string MayOperate = "shadow.operate";

    /// <summary>The policy of the webhook.</summary>
    public const string MayAlert = "shadow.alert";

    private const string Limit = "shadow";
    private const string IssuerScheme = "operator-jwt";

    public static void AddOperations(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<OperatorsOptions>().BindReadable(OperatorsOptions.Section, reloads: true).ValidateOnStart();
        services.AddSingleton<IValidateOptions<OperatorsOptions>, OperatorsValidation>();
        services.AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, OperatorAuthentication>(OperatorAuthentication.SchemeName, _ => { })
            .AddJwtBearer(IssuerScheme);
        services.AddOptions<JwtBearerOptions>(IssuerScheme).Configure<IOptions<OperatorsOptions>>((jwt, operators) => Trust(jwt, operators.Value.Issuer));
        services.AddAuthorizationBuilder()
            .AddPolicy(MayView, policy => Require(policy, OperatorRoles.Viewer, OperatorRoles.Operator))
            .AddPolicy(MayOperate, policy => Require(policy, OperatorRoles.Operator))
            .AddPolicy(MayAlert, policy => Require(policy, OperatorRoles.Webhook));
        services.AddRateLimiter(limiter =>
        {
            limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limiter.AddPolicy(Limit, context =>
            {
                var perSecond = context.RequestServices.GetRequiredService<IOptions<OperatorsOptions>>().Value.RequestsPerSecond;
                return RateLimitPartition.GetTokenBucketLimiter(
                    context.Connection.RemoteIpAddress?.ToString() ?? "", _ => new()
                    {
                        TokenLimit = 2 * perSecond,
                        TokensPerPeriod = perSecond,
                        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                    });
            });
        });
        services.AddSingleton<RefusalAudit>();
        services.AddSingleton<MismatchReader>();
        services.AddSingleton<StatusReader>();
        services.AddSingleton<RolloutReader>();

        void Require(AuthorizationPolicyBuilder policy, params string[] roles)
        {
            policy.AddAuthenticationSchemes(OperatorAuthentication.SchemeName).RequireClaim("role", roles);
            if (configuration[$"{OperatorsOptions.Section}:Issuer:Issuer"] is { Length: > 0 }) policy.AddAuthenticationSchemes(IssuerScheme);
        }
    }

    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var open = routes.MapGroup("/shadow/v1").WithTags("Shadowing");
        open.MapAlerts();
        var shadow = open.MapGroup("").RequireAuthorization(MayView).RequireRateLimiting(Limit);
        shadow.MapGet("/status", static (StatusReader status) => TypedResults.Ok(status.Read()))
            .WithName("shadow.status")
            .WithSummary("What shadowing does now, operation by operation.")
            .ProducesProblem(401)
            .ProducesProblem(403);
        shadow.MapMismatches();
        shadow.MapAudit();
        shadow.MapGate([.. TicketExperiments.All.Select(experiment => experiment.Operation)]);
        shadow.MapRollout();
        shadow.MapSweeps();
    }

    private static void Trust(JwtBearerOptions jwt, OperatorIssuer issuer)
    {
        jwt.MapInboundClaims = false;
        jwt.TokenValidationParameters.NameClaimType = "name";
        jwt.TokenValidationParameters.RoleClaimType = "role";
        if (!issuer.IsSet) return;
        jwt.TokenValidationParameters.ValidIssuer = issuer.Issuer;
        jwt.TokenValidationParameters.ValidAudience = issuer.Audience;
        jwt.TokenValidationParameters.ClockSkew = TimeSpan.FromSeconds(30);
        if (issuer.Key() is { } key) jwt.TokenValidationParameters.IssuerSigningKey = key;
        else jwt.Authority = issuer.Issuer;

        // Who has no name is known by the subject.
        jwt.Events = new()
        {
            OnTokenValidated = static context =>
            {
                if (context.Principal is { Identity: System.Security.Claims.ClaimsIdentity { Name: null } identity } && identity.FindFirst("sub") is { } subject)
                    identity.AddClaim(new("name", subject.Value));
                return Task.CompletedTask;
            },
            OnChallenge = static context =>
            {
                context.HandleResponse();
                return Task.CompletedTask;
            },
            OnForbidden = static async context =>
            {
                await context.HttpContext.RequestServices.GetRequiredService<RefusalAudit>().AddAsync(context.HttpContext);
                throw new Problems.RefusedException(Problems.Refusal.OperatorForbidden);
            },
        };
    }
}
