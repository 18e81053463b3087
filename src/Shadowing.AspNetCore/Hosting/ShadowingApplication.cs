using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Shadowing.AspNetCore.Http;
using Shadowing.AspNetCore.Problems;
using Shadowing.AspNetCore.Telemetry;
using Shadowing.Experiments;
using Shadowing.Hosting;
using Shadowing.Journal;

namespace Shadowing.AspNetCore.Hosting;

/// <summary>The way in: shadowing of an application's interfaces, with endpoints and telemetry.</summary>
public static class ShadowingApplication
{
    /// <summary>
    /// Adds shadowing. The application goes on resolving its interfaces and running as before; it maps the endpoints with
    /// <see cref="ShadowingEndpoints.MapShadowing"/>.
    /// </summary>
    /// <param name="configure">
    /// Says what is compared and where its data is, as in
    /// <c>shadow.OnPostgres("Orders").Compare&lt;IOrders, SqlOrders, EfOrders&gt;().KeepEvidence("Evidence")</c>.
    /// </param>
    /// <exception cref="InvalidOperationException">Nothing is compared, or two operations have one name.</exception>
    /// <exception cref="ArgumentException">An interface cannot be compared; the message says which member and why.</exception>
    public static IHostApplicationBuilder AddShadowing(this IHostApplicationBuilder builder, Action<ShadowingBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var (services, application) = (builder.Services, builder.Environment.ApplicationName);
        ShadowedCode? code = null;
        services.AddShadowing(builder.Configuration, application, shadow =>
        {
            configure(shadow);
            code = shadow.Code;
        });
        services.AddShadowingEndpoints<SideScope>(builder.Configuration);
        services.AddShadowingTelemetry(builder.Configuration, application, code!);
        services.AddProblemDetails();
        // The driver tells of each command, and shadowing sends some each second.
        services.AddLogging(static logging => logging.AddFilter("Npgsql", LogLevel.Warning));
        services.AddSingleton<IStartupFilter, RefusalFilter>();
        services.AddSingleton<IDeveloperPageExceptionFilter, RefusalPage>();
        // Only where the application has registered it, because each request pays for it.
        if (services.Any(static service => service.ServiceType == typeof(IHttpContextAccessor)))
            services.Replace(ServiceDescriptor.Singleton<IHttpContextAccessor, RequestOnlyContext>());
        return builder;
    }
}
