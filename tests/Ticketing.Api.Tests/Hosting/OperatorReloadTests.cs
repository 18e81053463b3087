using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Ticketing.Api.Tests.Rollout;

namespace Ticketing.Api.Tests.Hosting;

public sealed class OperatorReloadTests(PostgresFixture postgres)
{
    private const string Added = "a token that is added later";

    [Fact]
    public async Task Operators_keep_their_access_after_a_refused_reload_and_a_new_token_needs_no_restart()
    {
        var database = await postgres.CloneAsync("operator_reload", TestContext.Current.CancellationToken);
        await using var replica = await Replica.StartAsync(database);
        var configuration = (IConfigurationRoot)replica.Service.Services.GetRequiredService<IConfiguration>();
        configuration["Operators:Tokens:7:Name"] = "a late operator";
        configuration["Operators:Tokens:7:Role"] = "operator";
        configuration["Operators:Tokens:7:Sha256"] = "no hash";
        configuration.Reload();

        Assert.Equal("tickets.get", (string?)(await replica.RolloutAsync())["operation"]);
        Assert.Equal(401, await StatusAsync(Added));
        var finding = Assert.Single((await replica.Service.StatusAsync()).Findings);
        Assert.Equal("Operators", finding.Object);
        Assert.Contains("Operators:Tokens:", finding.Text, StringComparison.Ordinal);

        configuration["Operators:Tokens:7:Sha256"] = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(Added)));
        configuration.Reload();
        Assert.Equal(200, await StatusAsync(Added));
        Assert.Empty((await replica.Service.StatusAsync()).Findings);

        async Task<int> StatusAsync(string token) =>
            (int)(await replica.SendAsync(HttpMethod.Get, "rollout/tickets.get", null, token)).Status;
    }
}
