using Microsoft.Extensions.Options;
using Npgsql;
using ShadowTicketing.Shadowing.Postgres;

namespace ShadowTicketing.Api.Tickets;

/// <summary>The database that answers users.</summary>
internal sealed class ServedDatabaseOptions
{
    public string? ConnectionString { get; set; }
}

internal static class ServedDatabase
{
    /// <summary>The key of its data source.</summary>
    public const string Key = "served";

    /// <summary>The key of a data source that keeps no connection: for ending a session when the others are all taken.</summary>
    public const string Ending = "served-ending";

    /// <summary>
    /// The key of a small data source with the served role, for the shadow: it looks through users' eyes without taking a connection that they wait
    /// for.
    /// </summary>
    public const string View = "served-view";

    public static void AddServedDatabase(this IServiceCollection services)
    {
        services.AddOptions<ServedDatabaseOptions>()
            .Configure<IConfiguration>((options, configuration) => options.ConnectionString = configuration.GetConnectionString("Served"))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<ServedDatabaseOptions>, ServedDatabaseValidation>();
        services.AddKeyedSingleton(Key, (provider, _) => Create(provider, Key, "Max Auto Prepare=50;Maximum Pool Size=32;Application Name=ticketing-served", ""));
        services.AddKeyedSingleton(View, (provider, _) => Create(
            provider, View, "", "Maximum Pool Size=2;Minimum Pool Size=0;Max Auto Prepare=0;Timeout=2;Command Timeout=5;Application Name=ticketing-served-view"));
        services.AddKeyedSingleton(Ending, (provider, _) => Create(provider, Ending, "Application Name=ticketing-served", "Pooling=false;Timeout=2;Command Timeout=2"));
    }

    /// <param name="defaults">What the connection string says wins over these.</param>
    /// <param name="always">These win over it.</param>
    private static NpgsqlDataSource Create(IServiceProvider provider, string name, string defaults, string always)
    {
        var given = provider.GetRequiredService<IOptions<ServedDatabaseOptions>>().Value.ConnectionString;
        var builder = new NpgsqlDataSourceBuilder($"{defaults};{given};{always}") { Name = name };
        return builder.UseLoggerFactory(provider.GetRequiredService<SqlLedger>()).Build();
    }
}

internal sealed class ServedDatabaseValidation : IValidateOptions<ServedDatabaseOptions>
{
    private static readonly string[] Harmless = ["host", "server", "port", "database", "username", "user id", "user"];

    public ValidateOptionsResult Validate(string? name, ServedDatabaseOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.ConnectionString)) return ValidateOptionsResult.Fail("ConnectionStrings:Served is missing.");
        try
        {
            return new NpgsqlConnectionStringBuilder(options.ConnectionString) is { Host: null or "" }
                ? ValidateOptionsResult.Fail($"ConnectionStrings:Served names no Host: \"{Quotable(options.ConnectionString)}\".")
                : ValidateOptionsResult.Success;
        }
        catch (Exception malformed) when (malformed is ArgumentException or FormatException or InvalidCastException)
        {
            return ValidateOptionsResult.Fail($"ConnectionStrings:Served is no connection string: \"{Quotable(options.ConnectionString)}\".");
        }
    }

    // A string that does not parse may hold its password anywhere, so only values known to be harmless are shown.
    private static string Quotable(string connectionString) => string.Join(';', connectionString.Split(';').Select(static part =>
        part.Split('=', 2) is [var keyword, _] ? Harmless.Contains(keyword.Trim().ToLowerInvariant()) ? part : $"{keyword}=…" : "…"));
}
