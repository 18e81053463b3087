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

    public static void AddServedDatabase(this IServiceCollection services)
    {
        services.AddOptions<ServedDatabaseOptions>()
            .Configure<IConfiguration>((options, configuration) => options.ConnectionString = configuration.GetConnectionString("Served"))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<ServedDatabaseOptions>, ServedDatabaseValidation>();
        services.AddKeyedSingleton(Key, (provider, _) => Create(provider));
    }

    // What the connection string says wins over what is set here.
    private static NpgsqlDataSource Create(IServiceProvider provider)
    {
        var given = provider.GetRequiredService<IOptions<ServedDatabaseOptions>>().Value.ConnectionString;
        var builder = new NpgsqlDataSourceBuilder($"Max Auto Prepare=50;Maximum Pool Size=32;Application Name=ticketing-served;{given}") { Name = Key };
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
