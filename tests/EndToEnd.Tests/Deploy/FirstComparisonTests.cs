#pragma warning disable CA1416 // Tests run on Linux alone.
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Ticketing.Demo.Database;

namespace EndToEnd.Tests.Deploy;

/// <summary><c>deploy/first-comparison</c> does what <c>deploy/README.md</c> states, on a real database, over TLS.</summary>
public sealed partial class FirstComparisonTests : IDisposable
{
    private readonly string _into = Directory.CreateTempSubdirectory("first-comparison").FullName;

    public void Dispose() => Directory.Delete(_into, recursive: true);

    [Fact]
    public void The_page_states_the_steps_that_the_script_takes()
    {
        var page = File.ReadAllText(Repository.Path("deploy", "README.md"));
        var script = File.ReadAllText(Repository.Path("deploy", "first-comparison"));
        var taken = Taken().Matches(script).Select(match => (match.Groups[1].Value, match.Groups[2].Value)).ToArray();
        Assert.InRange(taken.Length, 1, 8);
        Assert.Equal(taken, Stated().Matches(page).Select(match => (match.Groups[1].Value, match.Groups[2].Value)));
        Assert.Contains($"echo \"$1/{taken.Length} $2\"", script, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_existing_database_comes_to_its_first_compared_request_over_tls()
    {
        await using var database = await ExistingDatabase.StartAsync();
        AsPublished();
        var (exitCode, printed) = await RunAsync(database.Url(), "--published");
        Assert.True(exitCode == 0, printed + Log());
        Assert.Contains("A request was compared.", printed, StringComparison.Ordinal);
        // What it has written down is its owner's alone, and a password is printed nowhere.
        Assert.All((string[])["environment", "operator.token"], file =>
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_into, file))));
        var passwords = Password().Matches(await File.ReadAllTextAsync(Path.Combine(_into, "environment"), TestContext.Current.CancellationToken));
        Assert.Equal(4, passwords.Count);
        Assert.All(passwords, password => Assert.DoesNotContain(password.Groups[1].Value, printed + Log(), StringComparison.Ordinal));
        // The tables are as they were, and the evidence is in a schema of its own.
        Assert.Equal(1L, await database.ReadAsync("select count(*) from support_tickets"));
        Assert.Equal(true, await database.ReadAsync("select count(*) > 0 from pg_tables where schemaname = 'shadow'"));

        // What is in force is not overwritten.
        var (again, said) = await RunAsync(database.Url(), "--published");
        Assert.True(again == 1 && said.Contains("environment is there", StringComparison.Ordinal), said);
    }

    [Fact]
    public async Task A_role_that_could_write_is_named_and_nothing_is_compared()
    {
        await using var database = await ExistingDatabase.StartAsync();
        await database.ExecuteAsync("grant update on support_tickets to public");
        AsPublished();
        var (exitCode, printed) = await RunAsync(database.Url(), "--published");
        Assert.True(exitCode == 2, printed + Log());
        Assert.Contains("CRITICAL", printed, StringComparison.Ordinal);
        Assert.Contains("support_tickets", printed, StringComparison.Ordinal);
        Assert.DoesNotContain("7/8", printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_another_authority_vouches_for_is_not_given_a_password()
    {
        await using var database = await ExistingDatabase.StartAsync();
        AsPublished();
        var (exitCode, printed) = await RunAsync(database.Url("other.crt"), "--published");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("certificate verify failed", printed, StringComparison.Ordinal);
        Assert.False((bool)(await database.ReadAsync("select exists (select from pg_roles where rolname = 'ticketing_served')"))!);
    }

    [Theory]
    [InlineData("Host=127.0.0.1;Username=ticketing_team")]
    [InlineData("postgresql://ticketing_team@127.0.0.1:5432")]
    [InlineData("")]
    public async Task An_address_that_names_no_database_is_refused_before_anything_is_done(string url)
    {
        var (exitCode, printed) = await RunAsync(url, "--published");
        Assert.Equal(64, exitCode);
        Assert.DoesNotContain("1/8", printed, StringComparison.Ordinal);
    }

    [Fact, LongForm(nameof(An_existing_database_comes_to_its_first_compared_request_over_tls))]
    public async Task All_steps_are_taken_the_publishing_of_service_and_tool_included()
    {
        await using var database = await ExistingDatabase.StartAsync();
        var (exitCode, printed) = await RunAsync(database.Url());
        Assert.True(exitCode == 0, printed + Log());
        Assert.True(File.Exists(Path.Combine(_into, "service", "Ticketing.Api.dll")));
        Assert.Contains("A request was compared.", printed, StringComparison.Ordinal);
    }

    private async Task<(int ExitCode, string Printed)> RunAsync(string url, params string[] options)
    {
        var listen = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{PrivatePostgres.FreePort()}");
        var start = new ProcessStartInfo(
            Repository.Path("deploy", "first-comparison"), ["--into", _into, "--listen", listen, .. options]);
        start.Environment["DATABASE_URL"] = url;
        return await Tool.RunAsync(start);
    }

    /// <summary>As step 2 leaves the folder, with what the tests were built with.</summary>
    private void AsPublished()
    {
        Directory.CreateSymbolicLink(Path.Combine(_into, "service"), AppContext.BaseDirectory);
        var tool = Path.Combine(Directory.CreateDirectory(Path.Combine(_into, "bin")).FullName, "shadowctl");
        File.WriteAllText(tool, $"#!/bin/sh\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "shadowctl.dll")}' \"$@\"\n");
        File.SetUnixFileMode(tool, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private string Log() => Path.Combine(_into, "service.log") is var log && File.Exists(log) ? "\n" + File.ReadAllText(log) : "";

    [GeneratedRegex(@"^step (\d) ""([\w' ]+)", RegexOptions.Multiline)]
    private static partial Regex Taken();

    [GeneratedRegex(@"^(\d)\. \*\*([\w' ]+)\*\*", RegexOptions.Multiline)]
    private static partial Regex Stated();

    [GeneratedRegex("://ticketing_[a-z]+:([0-9a-f]{64})@")]
    private static partial Regex Password();
}
