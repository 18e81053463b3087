using System.Diagnostics;
using System.Text;
using CsCheck;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Http;

/// <summary>
/// Whatever the password, however it is written, in whichever connection string: nothing that is said at the start holds a piece of it.
/// </summary>
public sealed class SecretsTests(PostgresFixture postgres)
{
    private const int Finding = 40;
    private const int NotWarmedUp = 50;
    private const int KeeperDown = 90;

    private static readonly string[] Settings = ["Served", "Shadow", "Sandbox", "Evidence", "Listen"];

    private static readonly Gen<string> Piece =
        Gen.Char["abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"].Array[8].Select(signs => new string(signs));

    private static readonly Gen<char> Sign = Gen.Char[":@/?#%;='\" &[],\\+ü|{"];

    /// <summary>Written as it must be, as people write it who forget to quote it, and as neither.</summary>
    private static readonly Func<string, string>[] Forms =
    [
        password => $"postgresql://someone:{Uri.EscapeDataString(password)}@127.0.0.1:1/tickets?connect_timeout=2",
        password => $"postgres://someone:{password}@127.0.0.1:1/tickets?connect_timeout=2",
        password => $"postgresql://someone@127.0.0.1:1/tickets?password={password}",
        password => $"postgresql://someone:{password}",
        password => $"postgresql:/someone:{password}@127.0.0.1/tickets",
        password => $"jdbc:postgresql://127.0.0.1:1/tickets?user=someone&password={password}",
        password => new NpgsqlConnectionStringBuilder("Host=127.0.0.1;Port=1;Username=someone;Timeout=2")
        {
            Password = password,
        }.ConnectionString,
        password => $"Host=127.0.0.1;Port=1;Username=someone;Timeout=2;Persist Security Info=true;Password={password}",
        password => $"Host=127.0.0.1;Port=1;Username=someone;Timeout=2;Pasword={password}",
        password => $"Password={password} Host=127.0.0.1",
        password => $"Host=127.0.0.1;Port={password}",
        password => password,
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_password_is_refused_or_used_with_a_piece_of_it_in_what_is_logged_thrown_or_answered()
    {
        var database = await postgres.CloneAsync("secrets", Cancellation);
        var (refused, started) = (0, 0);
        await Gen.Select(Piece, Sign, Piece, Gen.Int[0, Forms.Length - 1], Gen.Int[0, Settings.Length - 1]).SampleAsync(
            async (one, sign, other, form, setting) =>
            {
                var said = await SaidAtStartAsync(database, Settings[setting], Forms[form]($"{one}{sign}{other}"));
                if (said.Started) started++;
                else refused++;
                Assert.DoesNotContain(one, said.Text, StringComparison.OrdinalIgnoreCase);
                Assert.DoesNotContain(other, said.Text, StringComparison.OrdinalIgnoreCase);
            },
            iter: Effort.Of(40, all: 150), threads: 1);
        TestContext.Current.TestOutputHelper?.WriteLine($"{refused} refused, {started} started");
        Assert.NotEqual(0, refused);
        Assert.NotEqual(0, started);
    }

    [Theory]
    [InlineData("Served", "postgresql://someone:hunter2@ter3@127.0.0.1/tickets")]
    [InlineData("Served", "Host=127.0.0.1;Pasword=hunter2")]
    [InlineData("Sandbox", "Host=127.0.0.1;hunter2")]
    [InlineData("Evidence", "postgresql:/someone:hunter2@127.0.0.1/tickets")]
    public async Task A_refused_connection_string_ends_the_process_with_78_and_is_not_printed(string setting, string connectionString)
    {
        var database = await postgres.CloneAsync($"secrets_{setting}_{connectionString.Length}", Cancellation);
        var start = new ProcessStartInfo("dotnet", [typeof(ApiHost).Assembly.Location])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in ShadowedService.Settings(database))
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        start.Environment["ConnectionStrings__" + setting] = connectionString;
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        using var process = Process.Start(start)!;
        var printed = await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(Cancellation), process.StandardError.ReadToEndAsync(Cancellation));
        await process.WaitForExitAsync(Cancellation);
        Assert.Equal(ApiHost.ExitOfBadSettings, process.ExitCode);
        Assert.Contains($"ConnectionStrings:{setting} is refused", printed[0], StringComparison.Ordinal);
        foreach (var piece in (string[])["hunter2", "ter3"]) Assert.DoesNotContain(piece, string.Concat(printed), StringComparison.Ordinal);
    }

    private static async Task<(bool Started, string Text)> SaidAtStartAsync(
        TicketingDatabase database, string setting, string connectionString)
    {
        var said = new StringBuilder();
        try
        {
            await using var app = ApiHost.Build([], builder =>
            {
                builder.WebHost.UseUrls("http://127.0.0.1:0");
                builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddFakeLogging();
                foreach (var (name, value) in ShadowedService.Settings(database)) builder.Configuration[name] = value;
                builder.Configuration[$"ConnectionStrings:{setting}"] = connectionString;
            });
            await app.StartAsync(Cancellation);
            // What is wrong with the database is said once it has been tried; nobody says that there is nothing to hear.
            var logs = app.Services.GetFakeLogCollector();
            if (setting != "Listen")
                await Until.HoldsAsync(() => Task.FromResult(logs.GetSnapshot().Any(log => log.Id.Id is Finding or NotWarmedUp or KeeperDown)));
            using var http = new HttpClient { BaseAddress = new(app.Urls.Single()) };
            http.DefaultRequestHeaders.Authorization = new("Bearer", ShadowedService.ViewerToken);
            foreach (var path in (string[])["/shadow/v1/status", "/health/ready", "/metrics", "/api/tickets"])
            {
                using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
                said.Append(await answer.Content.ReadAsStringAsync(Cancellation));
            }

            await app.StopAsync(Cancellation);
            foreach (var log in logs.GetSnapshot())
            {
                said.Append(log.Message).Append(log.Exception);
                foreach (var (name, value) in log.StructuredState ?? []) said.Append(name).Append(value);
            }

            return (true, said.ToString());
        }
        catch (Exception refused) when (ApiHost.RefusedSettings(refused) is { Count: > 0 } settings)
        {
            return (false, said.AppendJoin('\n', settings).Append(refused).ToString());
        }
    }
}
