using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using ShadowTicketing.Api.Tickets;

namespace ShadowTicketing.Api.Operations;

internal static class OperationsRegistration
{
    /// <summary>The policy of routes that only look.</summary>
    public const string MayView = "shadow.view";

    /// <summary>The policy of routes that change something.</summary>
    public const string MayOperate = "shadow.operate";

    public static void AddOperations(this IServiceCollection services)
    {
        services.AddOptions<OperatorsOptions>().BindConfiguration(OperatorsOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<OperatorsOptions>, OperatorsValidation>();
        services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, OperatorAuthentication>(OperatorAuthentication.SchemeName, _ => { });
        services.AddAuthorizationBuilder().AddPolicy(MayView, policy => policy
            .AddAuthenticationSchemes(OperatorAuthentication.SchemeName)
            .RequireClaim("role", OperatorRoles.Viewer, OperatorRoles.Operator)).AddPolicy(MayOperate, policy => policy
            .AddAuthenticationSchemes(OperatorAuthentication.SchemeName)
            .RequireClaim("role", OperatorRoles.Operator));
        services.AddSingleton<MismatchReader>();
        services.AddSingleton<StatusReader>();
    }

    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var shadow = routes.MapGroup("/shadow/v1").WithTags("Shadowing").RequireAuthorization(MayView);
        shadow.MapGet("/status", static (StatusReader status) => TypedResults.Ok(status.Read()))
            .WithName("shadow.status")
            .WithSummary("What shadowing does now, operation by operation.")
            .ProducesProblem(401)
            .ProducesProblem(403);
        shadow.MapMismatches();
        shadow.MapAudit();
        shadow.MapGate([.. TicketExperiments.All.Select(experiment => experiment.Operation)]);
    }
}
