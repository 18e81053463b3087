using Microsoft.Extensions.Options;
using Shadowing.AspNetCore.Hosting;
using Ticketing.Api.Accounts;
using Ticketing.Api.Health;
using Ticketing.Api.Http;
using Ticketing.Api.Problems;
using Ticketing.Api.Starting;
using Ticketing.Api.Stopping;
using Ticketing.Api.Tickets;

namespace Ticketing.Api;

/// <summary>The service, composed. The program, the demo and the tests all run what is built here.</summary>
public static class ApiHost
{
    /// <summary>The exit code of a start refused for its settings, as sysexits.h names it.</summary>
    internal const int ExitOfBadSettings = 78;

    /// <summary>The exit code of a start that finds its address in use: what it needs is not available, as sysexits.h names it.</summary>
    internal const int ExitOfTakenAddress = 69;

    /// <summary>How long a stop may take once the listener closes, requests in flight and the lane's draining included.</summary>
    private static readonly TimeSpan GracePeriod = TimeSpan.FromSeconds(20);

    /// <summary>Composes the service without starting it, once its settings have been judged, all at once.</summary>
    /// <param name="configure">Runs after everything is registered, so that what it registers or configures wins.</param>
    /// <exception cref="OptionsValidationException">
    /// A setting is refused; an <see cref="AggregateException"/> of these where several are.
    /// </exception>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });

        LogFormat.Apply(builder.Logging, builder.Configuration["Logging:Console:FormatterName"] is not null);
        ListenAddress.Apply(builder);
        builder.WebHost.ConfigureKestrel(RequestLimits.Apply);
        builder.WebHost.ConfigureKestrel(ServerRefusals.Apply);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = GracePeriod);
        builder.Services.AddProblems();
        builder.Services.AddStrictJson();
        builder.Services.AddAccounts();
        builder.Services.AddTicketShadowing(builder.Configuration);
        builder.Services.AddStopping();
        builder.Services.AddHealth();
        builder.Services.AddApiDescription();
        builder.Services.AddProxies();
        configure?.Invoke(builder);
        builder.AddOperatorDoor();

        var app = builder.Build();
        RefuseBadSettings(app);

        app.UseServerRefusals();
        app.UseProxies();
        app.UseStopping();
        app.UseProblems();
        app.UseOperatorDoor();
        app.UseUrlLimit();
        app.UseRouting();
        app.UseOperatorLimit();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAccounts();

        app.MapTickets();
        app.MapHealth();
        app.MapShadowing("/shadow");
        app.MapPrometheusScrapingEndpoint("/metrics");
        app.MapOpenApi("/openapi/v1.json");
        return app;
    }

    // Not left to the start: it constructs what it hosts first, and that fails at one setting.
    private static void RefuseBadSettings(IHost app)
    {
        try
        {
            app.Services.GetRequiredService<IStartupValidator>().Validate();
        }
        catch
        {
            app.Dispose();
            throw;
        }
    }

    /// <summary>What was wrong with the settings, if that is why the start failed; else nothing.</summary>
    internal static IReadOnlyList<string> RefusedSettings(Exception exception) => exception switch
    {
        OptionsValidationException refused => [.. refused.Failures],
        AggregateException { InnerExceptions: var all } when all.All(one => one is OptionsValidationException) =>
            [.. all.SelectMany(RefusedSettings)],
        _ => [],
    };
}
