using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shadowing.Hosting;
using Shadowing.Postgres.Hosting;

namespace Shadowing.Tests.Intercepting;

/// <summary>Users are served by the connection string as it is.</summary>
public sealed class ServedConnectionTests
{
    [Fact]
    public async Task A_requests_connection_is_closed_and_what_its_string_says_holds()
    {
        var setUp = new List<string?>();
        await using var services = Build("Host=db;Maximum Pool Size=70;Max Auto Prepare=9;Application Name=shop", source => setUp.Add(source.Name));
        await using var scope = services.CreateAsyncScope();
        var connection = scope.ServiceProvider.GetRequiredService<NpgsqlConnection>();
        var said = new NpgsqlConnectionStringBuilder(connection.ConnectionString);
        Assert.Equal((System.Data.ConnectionState.Closed, 70, 9, "shop"), (connection.State, said.MaxPoolSize, said.MaxAutoPrepare, said.ApplicationName));
        Assert.Same(connection, scope.ServiceProvider.GetRequiredService<NpgsqlConnection>());
        Assert.NotEmpty(setUp);
    }

    [Fact]
    public async Task What_it_does_not_say_is_the_drivers()
    {
        await using var services = Build("Host=db", null);
        await using var scope = services.CreateAsyncScope();
        var said = new NpgsqlConnectionStringBuilder(scope.ServiceProvider.GetRequiredService<NpgsqlConnection>().ConnectionString);
        var driver = new NpgsqlConnectionStringBuilder();
        Assert.Equal((driver.MaxPoolSize, driver.MaxAutoPrepare, driver.Timeout), (said.MaxPoolSize, said.MaxAutoPrepare, said.Timeout));
    }

    private static ServiceProvider Build(string served, Action<NpgsqlDataSourceBuilder>? setUp)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:Orders", served), new("ConnectionStrings:Shadow", "Host=db")]).Build();
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        services.AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        services.AddSingleton<IConfiguration>(configuration);
        services.AddScoped<Basket>();
        services.AddShadowing(configuration, "Shop", shadow => shadow.OnPostgres("Orders", setUp).Compare<IShop, OldShop, NewShop>());
        return services.BuildServiceProvider(validateScopes: true);
    }
}
