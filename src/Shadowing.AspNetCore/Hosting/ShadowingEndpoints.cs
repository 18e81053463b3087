using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using Shadowing.AspNetCore.Console;
using Shadowing.AspNetCore.Console.Signing;
using Shadowing.AspNetCore.Endpoints;
using Shadowing.AspNetCore.Operators;
using Shadowing.AspNetCore.Problems;
using Shadowing.AspNetCore.Starting;
using Shadowing.Experiments;
using Shadowing.Postgres.Doctor;
using Shadowing.Postgres.Stores;
using Shadowing.Settings;
using Shadowing.Supervision;
using Shadowing.Sweeping;

namespace Shadowing.AspNetCore.Hosting;

/// <summary>Registers the endpoints of shadowing and who may call them.</summary>
public static class ShadowingEndpoints
{
    /// <summary>
    /// Adds what the endpoints need: the section <c>Operators</c> with its tokens, the rate limit and the authentication of operators, and
    /// the warm-up. The application registers its <see cref="WarmUpPlan{TStore}"/>, maps the endpoints with <see cref="MapShadowing"/>
    /// behind <c>UseExceptionHandler</c>, <c>UseRouting</c>, <see cref="UseOperatorLimit"/>, <c>UseAuthentication</c> and
    /// <c>UseAuthorization</c>, and lets its readiness wait for <see cref="Readiness"/>.
    /// </summary>
    public static void AddShadowingEndpoints<TStore>(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<OperatorsOptions>().BindReadable(OperatorsOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<OperatorsOptions>, OperatorsValidation>();
        services.AddSingleton(provider => new LastValid<OperatorsOptions>(
            configuration, OperatorsOptions.Section,
            () => provider.GetRequiredService<IOptionsFactory<OperatorsOptions>>().Create(Options.DefaultName),
            provider.GetRequiredService<Findings>()));
        services.AddHostedService(provider => provider.GetRequiredService<LastValid<OperatorsOptions>>());
        services.AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, OperatorAuthentication>(OperatorAuthentication.SchemeName, _ => { })
            .AddJwtBearer(OperatorAuthentication.IssuerScheme)
            .AddCookie(ConsoleClaims.Scheme);
        services.AddOptions<JwtBearerOptions>(OperatorAuthentication.IssuerScheme)
            .Configure<LastValid<OperatorsOptions>>((jwt, operators) => Trust(jwt, operators.Current.Issuer));
        services.AddAuthorizationBuilder()
            .AddPolicy(OperatorPolicies.MayView, policy => Require(policy, OperatorRoles.Viewer, OperatorRoles.Operator))
            .AddPolicy(OperatorPolicies.MayOperate, policy => Require(policy, OperatorRoles.Operator))
            .AddPolicy(OperatorPolicies.MayAlert, policy => Require(policy, OperatorRoles.Webhook))
            .AddPolicy(OperatorPolicies.ConsoleView, policy => OfConsole(policy, OperatorRoles.Viewer, OperatorRoles.Operator))
            .AddPolicy(OperatorPolicies.ConsoleOperate, policy => OfConsole(policy, OperatorRoles.Operator));
        services.AddSingleton<OperatorLimit>();
        services.AddExceptionHandler<RefusalAnswers>();
        services.AddHostedService<Banner>();
        services.AddSingleton<Readiness>();
        services.AddSingleton<WarmUpRuns<TStore>>();
        services.AddHostedService<WarmUp<TStore>>();
        services.AddSingleton<RefusalAudit>();
        services.AddSingleton<JunkTokens>();
        services.AddSingleton<MismatchReader>();
        services.AddSingleton<StatusReader>();
        services.AddConsole(configuration);
        if (!services.Any(static service => service.ServiceType == typeof(EvidenceStore))) return;
        services.AddSingleton<IReadOnlyList<Sweep>>(provider => provider.GetRequiredService<IReadOnlyList<Sweep<TStore>>>());
        services.AddSingleton<RolloutReader>();
        services.AddSingleton<Rollbacks>();
        services.AddSingleton<AlertRollback>();
        services.AddSingleton<UserLookup>();

        // Neither does a token open the console, nor its cookie the API: a cookie comes along with requests that others caused.
        static void OfConsole(AuthorizationPolicyBuilder policy, params string[] roles) =>
            policy.AddAuthenticationSchemes(ConsoleClaims.Scheme).RequireClaim("role", roles);

        void Require(AuthorizationPolicyBuilder policy, params string[] roles)
        {
            policy.AddAuthenticationSchemes(OperatorAuthentication.SchemeName).RequireClaim("role", roles);
            if (configuration[$"{OperatorsOptions.Section}:Issuer:Issuer"] is { Length: > 0 }) policy.AddAuthenticationSchemes(
                OperatorAuthentication.IssuerScheme);
        }
    }

    /// <summary>
    /// Limits how often one address may ask the endpoints, those for rollbacks and alerts excepted. To stand behind <c>UseRouting</c> and
    /// before <c>UseAuthentication</c>.
    /// </summary>
    public static void UseOperatorLimit(this IApplicationBuilder app) => app.UseMiddleware<OperatorLimit>();

    /// <summary>
    /// Maps the endpoints of operators and the webhook of alerts; and, unless <c>Operators:Console:Enabled</c> is false, the console at the
    /// prefix itself.
    /// </summary>
    /// <param name="prefix">Before the version, such as <c>/shadow</c>.</param>
    public static void MapShadowing(this IEndpointRouteBuilder routes, string prefix)
    {
        routes.MapConsole(prefix);
        var open = routes.MapGroup($"{prefix}/v1").WithTags("Shadowing");
        var stores = routes.ServiceProvider.GetRequiredService<IServiceProviderIsService>().IsService(typeof(EvidenceStore));
        if (stores) open.MapAlerts();
        var shadow = open.MapGroup("").RequireAuthorization(OperatorPolicies.MayView).WithMetadata(new OperatorLimit.Limited(true));
        shadow.MapGet("/status", static (StatusReader status) => TypedResults.Ok(status.Read()))
            .WithName("shadow.status")
            .WithSummary("What shadowing does now, operation by operation.")
            .ProducesProblem(401)
            .ProducesProblem(403);
        if (routes.ServiceProvider.GetRequiredService<IServiceProviderIsService>().IsService(typeof(SetupDoctor))) shadow.MapDoctor();
        shadow.MapMismatches();
        shadow.MapGate([.. routes.ServiceProvider.GetServices<Experiment>().Select(experiment => experiment.Operation)]);
        if (!stores)
        {
            shadow.Map("/{**rest}", static () => TypedResults.Problem(Refusal.NotKept.ToProblem())).ExcludeFromDescription();
            return;
        }

        shadow.MapAcceptances();
        shadow.MapTriage();
        shadow.MapAudit();
        shadow.MapRollout();
        shadow.MapSweeps();
        shadow.MapReplays();
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
                if (context.Principal is { Identity: ClaimsIdentity { Name: null } identity } && identity.FindFirst("sub") is { } subject)
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
                throw new RefusedException(Refusal.OperatorForbidden);
            },
        };
    }
}
