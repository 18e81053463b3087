using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Shadowing.Postgres.Schema;
using Shadowing.Postgres.Statements;
using Shadowing.Settings;

namespace Shadowing.Postgres.Connections;

/// <summary>The connection strings of the positions other than the served one.</summary>
internal sealed class ShadowDatabaseOptions
{
    public string? Shadow { get; set; }

    public string? Evidence { get; set; }

    public string? Listen { get; set; }

    public string? Sandbox { get; set; }
}

/// <summary>Data sources by position: roles and pools follow the position, never the side.</summary>
public static class Databases
{
    /// <summary>The key of the shadow's pools, and of the data source of their unprepared connections.</summary>
    public const string Shadow = "shadow";

    /// <summary>The key of the data source of what shadowing stores.</summary>
    public const string Evidence = "evidence";

    /// <summary>For one session that must be its own, which a pooler in between would share out. The evidence's unless set.</summary>
    public const string Listen = "listen";

    internal static void AddShadowDatabases(this IServiceCollection services)
    {
        services.AddSingleton<SqlLedger>(provider =>
            new(provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<TimeProvider>()));
        services.AddOptions<ShadowDatabaseOptions>()
            .Configure<IConfiguration>((options, configuration) => (options.Shadow, options.Evidence, options.Sandbox, options.Listen) = (
                configuration.GetConnectionString("Shadow"), configuration.GetConnectionString("Evidence"),
                configuration.GetConnectionString("Sandbox"),
                configuration.GetConnectionString("Listen") ?? configuration.GetConnectionString("Evidence")))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<ShadowDatabaseOptions>, ShadowDatabaseValidation>();
        services.AddKeyedSingleton(Shadow, (provider, _) => CreateShadow(provider));
        services.AddKeyedSingleton(Shadow, (provider, _) => provider.GetRequiredKeyedService<ConnectionPools>(Shadow).Unprepared);
        services.AddKeyedSingleton(Evidence, (provider, _) => CreateEvidence(provider));
        services.AddKeyedSingleton(Listen, (provider, _) => Create(
            $"Maximum Pool Size=1;Timeout=2;Keepalive=10;{Session(provider, Listen)};{Given(provider, options => options.Listen)}",
            Listen, provider));
    }

    /// <summary>
    /// Small, so that the shadow can never crowd out users; read-only and with a time limit by its own sessions' settings, whatever the
    /// role allows. What the connection string says wins, but for those two.
    /// </summary>
    private static ConnectionPools CreateShadow(IServiceProvider provider)
    {
        var settings = provider.GetRequiredService<SettingsInForce>().Current;
        var limit = (long)(settings.ShadowTimeout + TimeSpan.FromSeconds(1)).TotalMilliseconds;
        // Beyond the shadow's own limit, or a candidate that is too slow would pass for a connection that was lost.
        var patience = (int)Math.Ceiling(settings.ShadowTimeout.TotalSeconds) + 5;
        // The sweep needs one for its walk or its snapshot, and one to confirm a difference.
        var pool = (2 * settings.Workers) + settings.MaxAbandoned + 4;
        var given = Given(provider, options => options.Shadow);
        var connection = new NpgsqlConnectionStringBuilder(
            $"Max Auto Prepare=50;Maximum Pool Size={pool};Timeout=2;Command Timeout={patience};{Session(provider, Shadow)};{given}");
        connection.Options = $"{connection.Options} -c default_transaction_read_only=on -c statement_timeout={limit}".Trim();
        // Validation lets it be missing only while shadowing is off, and then it is never opened.
        connection.Host ??= "127.0.0.1";
        return Pools.Create(provider, Shadow, "Shadow", connection);
    }

    /// <summary>
    /// As for the shadow. What is missing is found when writes are to be compared, and said in the findings: reads do without.
    /// </summary>
    internal static NpgsqlDataSourceBuilder Sandbox(IServiceProvider provider)
    {
        var settings = provider.GetRequiredService<SettingsInForce>().Current;
        var limit = (long)(settings.ShadowTimeout + TimeSpan.FromSeconds(1)).TotalMilliseconds;
        var patience = (int)Math.Ceiling(settings.ShadowTimeout.TotalSeconds) + 5;
        var size = settings.Workers + settings.MaxAbandoned + 2;
        var given = Given(provider, options => options.Sandbox);
        var connection = new NpgsqlConnectionStringBuilder(
            $"Max Auto Prepare=50;Maximum Pool Size={size};Timeout=2;Command Timeout={patience};{Session(provider, "sandbox")};{given}");
        connection.Options = $"{connection.Options} -c statement_timeout={limit}".Trim();
        connection.Host ??= "127.0.0.1";
        var builder = new NpgsqlDataSourceBuilder(connection.ConnectionString) { Name = "sandbox" };
        return builder.UseLoggerFactory(provider.GetRequiredService<SqlLedger>());
    }

    private static NpgsqlDataSource CreateEvidence(IServiceProvider provider) => Create(
        $"Maximum Pool Size=4;Timeout=2;Command Timeout=5;{Session(provider, Evidence)};{Given(provider, options => options.Evidence)}",
        Evidence, provider);

    /// <summary>Names a position's sessions in <c>pg_stat_activity</c>.</summary>
    internal static string Session(IServiceProvider provider, string position) =>
        $"Application Name={provider.GetRequiredService<ShadowedDatabase>().Application}-{position}";

    private static string Given(IServiceProvider provider, Func<ShadowDatabaseOptions, string?> which) =>
        ConnectionText.ToKeywords(which(provider.GetRequiredService<IOptions<ShadowDatabaseOptions>>().Value));

    private static NpgsqlDataSource Create(string keywords, string name, IServiceProvider provider)
    {
        var connection = new NpgsqlConnectionStringBuilder(keywords);
        // As for the shadow.
        connection.Host ??= "127.0.0.1";
        // Nobody looks whether a pooler is between, and nothing here is asked often enough to matter.
        (connection.MaxAutoPrepare, connection.Multiplexing) = (0, false);
        return new NpgsqlDataSourceBuilder(connection.ConnectionString) { Name = name }
            .UseLoggerFactory(provider.GetRequiredService<SqlLedger>())
            .Build();
    }
}

internal sealed class ShadowDatabaseValidation(IConfiguration configuration) : IValidateOptions<ShadowDatabaseOptions>
{
    public ValidateOptionsResult Validate(string? name, ShadowDatabaseOptions options)
    {
        // A value that cannot be read is refused elsewhere, with its name.
        var enabled = !bool.TryParse(configuration[$"{ShadowingOptions.Section}:{nameof(ShadowingOptions.Enabled)}"],
            out var given) || given;
        string[] complaints =
        [
            .. from setting in new[]
               {
                   (Name: "Shadow", Value: options.Shadow, IsNeeded: enabled),
                   (Name: "Evidence", Value: options.Evidence, IsNeeded: enabled),
                   (Name: "Listen", Value: options.Listen, IsNeeded: enabled),
                   (Name: "Sandbox", Value: options.Sandbox, IsNeeded: false),
               }
               let complaint = ConnectionText.Complaint($"ConnectionStrings:{setting.Name}", setting.Value, setting.IsNeeded)
               where complaint is not null
               select setting.IsNeeded ? $"{complaint} It is needed unless {ShadowingOptions.Section}:Enabled is false." : complaint,
        ];
        return complaints.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(complaints);
    }
}
