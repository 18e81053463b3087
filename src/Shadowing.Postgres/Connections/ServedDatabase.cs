using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Shadowing.Postgres.Schema;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Connections;

/// <summary>The database that answers users.</summary>
internal sealed class ServedDatabaseOptions
{
    public string? ConnectionString { get; set; }

    /// <summary>The name of the connection string in the settings.</summary>
    public string Name { get; set; } = "Served";
}

/// <summary>Keys of the data sources with the served role.</summary>
public static class ServedDatabase
{
    /// <summary>The key of its pools, and of the data source of their unprepared connections.</summary>
    public const string Key = "served";

    /// <summary>
    /// The key of a data source by the connection string as it is, for stores that are not known: what it says of preparing and of the
    /// pool's size holds.
    /// </summary>
    internal const string Own = "served-own";

    /// <summary>The key of a data source that keeps no connection: for ending a session when the others are all taken.</summary>
    public const string Ending = "served-ending";

    /// <summary>
    /// The key of a small data source with the served role, for the shadow: it looks through users' eyes without taking a connection that
    /// they wait for.
    /// </summary>
    public const string View = "served-view";

    internal static void AddServedDatabase(this IServiceCollection services)
    {
        services.AddOptions<ServedDatabaseOptions>()
            .Configure<IConfiguration>((options, configuration) =>
                options.ConnectionString = configuration.GetConnectionString(options.Name))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<ServedDatabaseOptions>, ServedDatabaseValidation>();
        services.AddKeyedSingleton(Key, (provider, _) => Pools.Create(
            provider, Key, provider.GetRequiredService<IOptions<ServedDatabaseOptions>>().Value.Name,
            new($"Max Auto Prepare={Databases.Prepared(provider)};Maximum Pool Size=32;{Databases.Session(provider, Key)};"
                + Given(provider))));
        services.AddKeyedSingleton(Key, (provider, _) => provider.GetRequiredKeyedService<ConnectionPools>(Key).Unprepared);
        services.AddKeyedSingleton(Own, (provider, _) => Create(
            provider, Own, $"{Databases.Session(provider, Key)};{Given(provider)}", ""));
        services.AddKeyedSingleton(View, (provider, _) => Create(
            provider, View, Given(provider),
            $"{Databases.Session(provider, View)};Maximum Pool Size=2;Minimum Pool Size=0;Multiplexing=false;"
                + "Max Auto Prepare=0;Timeout=2;Command Timeout=5"));
        services.AddKeyedSingleton(Ending, (provider, _) => Create(
            provider, Ending, Given(provider),
            $"{Databases.Session(provider, Key)};Pooling=false;Multiplexing=false;Max Auto Prepare=0;Timeout=2;Command Timeout=2"));
    }

    /// <param name="settings">These win over what the connection string says.</param>
    private static NpgsqlDataSource Create(IServiceProvider provider, string name, string given, string settings)
    {
        var builder = new NpgsqlDataSourceBuilder($"{given};{settings}") { Name = name };
        builder.UseLoggerFactory(provider.GetRequiredService<SqlLedger>());
        // Before what the application sets up, which may replace it: then its writes are not compared.
        if (name == Own && provider.GetRequiredService<ShadowedDatabase>().Written.Count > 0) CommandEffects.Watch(builder);
        provider.GetRequiredService<ShadowedDatabase>().SetUp?.Invoke(builder);
        return builder.Build();
    }

    private static string Given(IServiceProvider provider) =>
        ConnectionText.ToKeywords(provider.GetRequiredService<IOptions<ServedDatabaseOptions>>().Value.ConnectionString);
}

internal sealed class ServedDatabaseValidation : IValidateOptions<ServedDatabaseOptions>
{
    public ValidateOptionsResult Validate(string? name, ServedDatabaseOptions options) =>
        ConnectionText.Complaint($"ConnectionStrings:{options.Name}", options.ConnectionString, mustNameHost: true) is { } complaint
            ? ValidateOptionsResult.Fail(complaint)
            : ValidateOptionsResult.Success;
}
