using System.Text;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Shadowing.AspNetCore.Console.Data;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.AspNetCore.Console.Pages;
using Shadowing.AspNetCore.Console.Signing;
using Shadowing.AspNetCore.Endpoints;
using Shadowing.AspNetCore.Operators;
using Shadowing.Evidence;
using Shadowing.Postgres.Stores;
using Shadowing.Supervision;
using Shadowing.Sweeping;

namespace Shadowing.AspNetCore.Console;

/// <summary>Registers the console and maps its pages.</summary>
internal static class ConsoleEndpoints
{
    private const int LongestForm = 32 * 1024;

    public static void AddConsole(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(provider => new ConsoleKeys(provider.GetService<ConsoleKeyStore>()));
        services.AddOptions<CookieAuthenticationOptions>(ConsoleClaims.Scheme).Configure<ConsoleKeys>(ConsoleCookie.Configure);
        services.AddSingleton(provider => new ConsoleSignIn(
            provider.GetRequiredService<LastValid<OperatorsOptions>>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<Forgery>();
        services.AddSingleton<ConsoleSessions>();
        services.AddSingleton<ConsoleView>();
        services.AddSingleton<MismatchCache>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, ConsolePortPolicy>());
        services.AddSingleton<OverviewPage>();
        services.AddSingleton<OperationPage>();
        services.AddSingleton<MismatchesPage>();
        services.AddSingleton<MismatchPage>();
        services.AddSingleton<RolloutPage>();
        services.AddSingleton<LogPages>();
        services.AddSingleton<SweepsPage>();
        services.AddSingleton<HealthPage>();
        if (!services.Any(static service => service.ServiceType == typeof(EvidenceStore)))
        {
            services.AddSingleton<OutcomeHistory>();
            services.AddSingleton<IOutcomes>(provider => provider.GetRequiredService<OutcomeHistory>());
            if (IsOn(configuration)) services.AddHostedService(provider => provider.GetRequiredService<OutcomeHistory>());
            return;
        }

        services.AddSingleton<IOutcomes, StoredOutcomes>();
        services.AddSingleton<ConsoleForms>();
        services.AddSingleton(provider => new ConsoleStores(
            provider.GetRequiredService<RolloutReader>(), provider.GetRequiredService<Rollbacks>(),
            provider.GetRequiredService<ReplicaRegister>(), provider.GetRequiredService<AuditLog>(),
            provider.GetRequiredService<ServedStore>(), provider.GetRequiredService<SweepStore>(),
            provider.GetRequiredService<IReadOnlyList<Sweep>>(), provider.GetRequiredService<AcceptanceWriter>())
        {
            Ledger = provider.GetRequiredService<EvidenceLedger>(),
            Triages = provider.GetRequiredService<TriageStore>(),
        });
    }

    /// <param name="prefix">The console's own address; everything of it lies below.</param>
    public static void MapConsole(this IEndpointRouteBuilder routes, string prefix)
    {
        var services = routes.ServiceProvider;
        var settings = services.GetRequiredService<IOptions<OperatorsOptions>>().Value.Console;
        if (!settings.Enabled) return;
        var all = routes.MapGroup(prefix).ExcludeFromDescription()
            .WithMetadata(new ConsoleRoot(prefix), new OperatorLimit.Limited(true));
        if (settings.Port is { } port) all.WithMetadata(new ConsolePort(port));
        all.MapGet("/assets/{name}", ConsoleAssets.Send).AllowAnonymous().WithMetadata(new OperatorLimit.Limited(false));
        all.MapGet("/sign-in", (HttpContext context, ConsoleSessions sessions) => sessions.AskAsync(context)).AllowAnonymous();
        Post(all, "/sign-in", (HttpContext context, ConsoleSessions sessions) => sessions.SignInAsync(context)).AllowAnonymous();
        MapPages(all.MapGroup("").RequireAuthorization(OperatorPolicies.ConsoleView));
        Post(all, "/sign-out", (HttpContext context, ConsoleView view, Forgery forgery) => SignOutAsync(context, view, forgery))
            .RequireAuthorization(OperatorPolicies.ConsoleView);
        if (services.GetRequiredService<IServiceProviderIsService>().IsService(typeof(ConsoleStores)))
            MapForms(all.MapGroup("").RequireAuthorization(OperatorPolicies.ConsoleOperate));
    }

    private static void MapPages(RouteGroupBuilder pages)
    {
        pages.MapGet("", (HttpContext context, ConsoleView view, OverviewPage page) => view.SendAsync(context, page.ShowAsync));
        pages.MapGet("/operations/{operation}", (HttpContext context, string operation, ConsoleView view, OperationPage page) =>
            view.SendAsync(context, visit => page.ShowAsync(visit, operation)));
        pages.MapGet("/mismatches", (HttpContext context, ConsoleView view, MismatchesPage page) =>
            view.SendAsync(context, page.ShowAsync));
        pages.MapGet("/mismatches/{signature}", (HttpContext context, string signature, ConsoleView view, MismatchPage page) =>
            view.SendAsync(context, visit => page.ShowAsync(visit, signature)));
        pages.MapGet("/rollout", (HttpContext context, ConsoleView view, RolloutPage page) => view.SendAsync(context, page.ShowAllAsync));
        pages.MapGet("/rollout/{operation}", (HttpContext context, string operation, ConsoleView view, RolloutPage page) =>
            view.SendAsync(context, visit => page.ShowAsync(visit, operation)));
        pages.MapGet("/served", (HttpContext context, ConsoleView view, LogPages page) => view.SendAsync(context, page.ServedAsync));
        pages.MapGet("/served.csv", SendFileAsync);
        pages.MapGet("/audit", (HttpContext context, ConsoleView view, LogPages page) => view.SendAsync(context, page.AuditAsync));
        pages.MapGet("/sweeps", (HttpContext context, ConsoleView view, SweepsPage page) => view.SendAsync(context, page.ShowAsync));
        pages.MapGet("/health", (HttpContext context, ConsoleView view, HealthPage page) => view.SendAsync(context, page.ShowAsync));
    }

    private static void MapForms(RouteGroupBuilder forms)
    {
        // Like the API's: however often an address asks, it may roll back.
        Post(forms, "/rollback", (HttpContext context, ConsoleForms act) => act.RollBackAsync(context))
            .WithMetadata(new OperatorLimit.Limited(false));
        Post(forms, "/rollout/{operation}",
            (HttpContext context, string operation, ConsoleForms act) => act.ChangeAsync(context, operation));
        Post(forms, "/mismatches/{signature}/accept",
            (HttpContext context, string signature, ConsoleForms act) => act.AcceptAsync(context, signature));
        Post(forms, "/mismatches/{signature}/triage",
            (HttpContext context, string signature, ConsoleForms act) => act.TriageAsync(context, signature));
        Post(forms, "/mismatches/{signature}/untriage",
            (HttpContext context, string signature, ConsoleForms act) => act.UntriageAsync(context, signature));
        Post(forms, "/mismatches/{signature}/revoke",
            (HttpContext context, string signature, ConsoleForms act) => act.RevokeAsync(context, signature));
        Post(forms, "/mismatches/{signature}/raw",
            (HttpContext context, string signature, ConsoleForms act) => act.RawAsync(context, signature));
        Post(forms, "/mismatches/{signature}/sealed",
            (HttpContext context, string signature, ConsoleForms act) => act.SealedAsync(context, signature));
        Post(forms, "/sweeps", (HttpContext context, ConsoleForms act) => act.StartSweepAsync(context));
        Post(forms, "/sweeps/{id:long}/stop", (HttpContext context, long id, ConsoleForms act) => act.StopSweepAsync(context, id));
    }

    private static RouteHandlerBuilder Post(IEndpointRouteBuilder group, string path, Delegate handler) =>
        group.MapPost(path, handler).WithMetadata(new Microsoft.AspNetCore.Mvc.RequestSizeLimitAttribute(LongestForm));

    private static async Task SignOutAsync(HttpContext context, ConsoleView view, Forgery forgery)
    {
        var form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted) : null;
        if (forgery.IsOwn(context, form?[Forgery.Field])) await ConsoleSessions.SignOutAsync(context);
        else ConsoleSessions.See(context, view.VisitOf(context).Root);
    }

    private static async Task SendFileAsync(HttpContext context, ConsoleView view, LogPages page)
    {
        var text = "";
        var visit = view.VisitOf(context);
        var failed = await view.ShowAsync(visit, async _ =>
        {
            text = await page.FileAsync(visit);
            return new("", "", Html.Empty);
        });
        if (failed.Status != StatusCodes.Status200OK)
        {
            await view.SendPageAsync(visit, failed, isLive: false);
            return;
        }

        ConsoleAnswer.Protect(context.Response.Headers);
        context.Response.ContentType = "text/csv; charset=utf-8";
        context.Response.Headers.ContentDisposition = "attachment; filename=\"served.csv\"";
        await context.Response.WriteAsync(text, Encoding.UTF8, context.RequestAborted);
    }

    private static bool IsOn(IConfiguration configuration) =>
        !bool.TryParse(configuration[$"{OperatorsOptions.Section}:Console:Enabled"], out var isOn) || isOn;
}
