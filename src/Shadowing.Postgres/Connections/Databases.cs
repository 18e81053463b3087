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

    /// <summary>The name of the evidence's connection string in the settings; empty where no evidence is stored.</summary>
    public string EvidenceName { get; set; } = "Evidence";
}

/// <summary>Data sources by position: roles and pools depend on the position, never on the side.</summary>
public static class Databases
{
    /// <summary>The key of the shadow's pools, and of the data source of their unprepared connections.</summary>
    public const string Shadow = "shadow";

    /// <summary>The key of the data source on which the rows of writes are read.</summary>
    internal const string Snapshots = "snapshots";

    /// <summary>The key of the data source for shadowing's own tables.</summary>
    public const string Evidence = "evidence";

    /// <summary>
    /// The key of the data source for one session of its own, which a pooler would share with others. Without a connection string of its
    /// own it uses the evidence's.
    /// </summary>
    public const string Listen = "listen";

    internal static void AddShadowDatabases(this IServiceCollection services)
    {
        services.AddSingleton<SqlLedger>(provider =>
            new(provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<TimeProvider>()));
        services.AddOptions<ShadowDatabaseOptions>()
            .Configure<IConfiguration>((options, configuration) => (options.Shadow, options.Evidence, options.Sandbox, options.Listen) = (
                configuration.GetConnectionString("Shadow"), configuration.GetConnectionString(options.EvidenceName),
                configuration.GetConnectionString("Sandbox"),
                configuration.GetConnectionString("Listen") ?? configuration.GetConnectionString(options.EvidenceName)))
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
    /// Small, so that the shadow never takes connections away from users. Its own session settings make it read-only and limit each
    /// statement's time, even where the role would allow more. All other keywords can be set by the connection string.
    /// </summary>
    private static ConnectionPools CreateShadow(IServiceProvider provider)
    {
        var settings = provider.GetRequiredService<SettingsInForce>().Current;
        var limit = (long)(settings.ShadowTimeout + TimeSpan.FromSeconds(1)).TotalMilliseconds;
        // Longer than the shadow's own limit. Otherwise a slow candidate would look like a lost connection.
        var patience = (int)Math.Ceiling(settings.ShadowTimeout.TotalSeconds) + 5;
        // Workers and abandoned runs, and for the sweep: one for its walk or its snapshot, and one to confirm a difference.
        var pool = (2 * settings.Workers) + settings.MaxAbandoned + 4;
        var given = Given(provider, options => options.Shadow);
        var connection = new NpgsqlConnectionStringBuilder(
            $"Max Auto Prepare={Prepared(provider)};Maximum Pool Size={pool};Timeout=2;Command Timeout={patience};"
            + $"{Session(provider, Shadow)};{given}");
        connection.Options = $"{connection.Options} -c default_transaction_read_only=on -c statement_timeout={limit}".Trim();
        // A run is told by its session, so it must have one of its own.
        connection.Multiplexing = false;
        // Validation allows a missing host only while shadowing is off, and then no connection is opened.
        connection.Host ??= "127.0.0.1";
        return Pools.Create(provider, Shadow, "Shadow", connection);
    }

    /// <summary>
    /// As for the shadow. A missing sandbox is reported in the findings when writes are to be compared; reads do not need it.
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
        // As for the shadow.
        connection.Multiplexing = false;
        connection.Host ??= "127.0.0.1";
        var builder = new NpgsqlDataSourceBuilder(connection.ConnectionString) { Name = "sandbox" };
        if (provider.GetRequiredService<ShadowedDatabase>().Written.Count > 0) CommandEffects.Watch(builder);
        provider.GetRequiredService<ShadowedDatabase>().SetUp?.Invoke(builder);
        return builder.UseLoggerFactory(provider.GetRequiredService<SqlLedger>());
    }

    /// <summary>
    /// Of the shadow's role, for reading the rows of writes. Only this project's own statements run there, which leave nothing behind: so
    /// the sessions are not reset, which would come before the next snapshot.
    /// </summary>
    internal static NpgsqlDataSource CreateSnapshots(IServiceProvider provider) => Create(
        "Maximum Pool Size=8;Timeout=2;Command Timeout=5;No Reset On Close=true;"
        + $"Options=-c default_transaction_read_only=on;{Session(provider, Snapshots)};{Given(provider, options => options.Shadow)}",
        Snapshots, provider);

    /// <summary>
    /// Only this project's own statements run there, which leave nothing behind in a session: so it is not reset, which would be every
    /// third statement of a service without requests.
    /// </summary>
    private static NpgsqlDataSource CreateEvidence(IServiceProvider provider) => Create(
        $"Maximum Pool Size=4;Timeout=2;Command Timeout=5;No Reset On Close=true;{Session(provider, Evidence)};"
        + Given(provider, options => options.Evidence),
        Evidence, provider);

    /// <summary>How many statements a connection prepares by itself where its connection string does not say.</summary>
    internal static int Prepared(IServiceProvider provider) => provider.GetRequiredService<ShadowedDatabase>().Prepares ? 50 : 0;

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
        // A pooler may be in between, which is not checked for these connections; few statements run here, so preparing them gains little.
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
        // A value of Enabled that cannot be parsed is reported elsewhere, by name.
        var enabled = !bool.TryParse(configuration[$"{ShadowingOptions.Section}:{nameof(ShadowingOptions.Enabled)}"],
            out var given) || given;
        string[] complaints =
        [
            .. from setting in new[]
               {
                   (Name: "Shadow", Value: options.Shadow, IsNeeded: enabled),
                   (Name: options.EvidenceName, Value: options.Evidence, IsNeeded: enabled && options.EvidenceName.Length > 0),
                   (Name: "Listen", Value: options.Listen, IsNeeded: enabled && options.EvidenceName.Length > 0),
                   (Name: "Sandbox", Value: options.Sandbox, IsNeeded: false),
               }
               let complaint = ConnectionText.Complaint($"ConnectionStrings:{setting.Name}", setting.Value, setting.IsNeeded)
               where complaint is not null
               select setting.IsNeeded ? $"{complaint} It is needed unless {ShadowingOptions.Section}:Enabled is false." : complaint,
        ];
        return complaints.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(complaints);
    }
}
