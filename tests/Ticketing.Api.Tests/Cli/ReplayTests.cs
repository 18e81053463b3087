using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Shadowctl;
using Shadowing.Recording;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Cli;

/// <summary>Requests that users sent are recorded, and replayed before a build sees traffic.</summary>
public sealed class ReplayTests(PostgresFixture postgres)
{
    private static readonly byte[] Key = SHA256.HashData("a key of the tests"u8);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_recorded_replays_clean_and_a_planted_fault_fails_with_the_signature_of_live_traffic()
    {
        var folder = Directory.CreateTempSubdirectory("recording").FullName;
        var isWrong = false;
        try
        {
            await using var replica = await Replica.StartAsync(
                await postgres.CloneAsync("replay", Cancellation), everywhere: store => new TamperedStore(store)
                {
                    OnGet = async (_, next, _) => await next() is { Ticket: { } ticket } answer && Volatile.Read(ref isWrong)
                        ? answer with { Ticket = ticket with { Subject = ticket.Subject + " " } } : await next(),
                },
                settings: [.. Recording(folder), ("Shadowing:DatabaseTimeBudget", "16")]);
            for (var id = 1; id <= 20; id++) Assert.Equal(200, await replica.Service.GetAsync($"/api/tickets/{id}"));
            for (var page = 1; page <= 5; page++) Assert.Equal(200, await replica.Service.GetAsync($"/api/tickets?scope=all&page={page}"));
            Assert.Equal(200, (await replica.Service.SendAsync(HttpMethod.Patch, "/api/tickets/3", new { status = "closed" })).Status);
            var file = Directory.GetFiles(folder).Single();
            await Until.HoldsAsync(() => Task.FromResult(Read(file).Count == 26));
            Assert.DoesNotContain("tickets.get", Encoding.Latin1.GetString(await ReadAllAsync(file)), StringComparison.Ordinal);
            if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            Assert.Contains((await replica.Service.StatusAsync()).Findings, finding => finding.Object == "Shadowing:Recording");
            await Until.HoldsAsync(async () => (await RunAsync(replica, "audit", "--action", "recording.start")).Output.Contains("an owner", StringComparison.Ordinal));

            var clean = await RunAsync(replica, "replay", file, "--reason", "a test");
            Assert.Equal((ExitCodes.Ok, ""), (clean.Exit, clean.Error));
            Assert.Contains("done: 26 of 26 requests", clean.Output, StringComparison.Ordinal);
            Assert.Contains("done: 6 of 6 requests", (await RunAsync(replica, "replay", file, "--reason", "a test", "--from", "20")).Output, StringComparison.Ordinal);
            Assert.Contains("an operator  replay.start", (await RunAsync(replica, "audit", "--action", "replay")).Output, StringComparison.Ordinal);

            Volatile.Write(ref isWrong, true);
            await replica.Service.GetAsync("/api/tickets/7");
            await replica.Service.SettledAsync("tickets.get");
            var live = (string?)null;
            await Until.HoldsAsync(async () => (live = (string?)(await replica.GetAsync("mismatches"))["mismatches"]!.AsArray()
                .FirstOrDefault(one => (string?)one!["operation"] == "tickets.get")?["signature"]) is not null);
            var faulty = await RunAsync(replica, "replay", file, "--reason", "a test", "--output", "json");
            Assert.Equal(ExitCodes.Hold, faulty.Exit);
            var found = Assert.Single(JsonNode.Parse(faulty.Output[faulty.Output.IndexOf('{', StringComparison.Ordinal)..])!["signatures"]!.AsArray())!;
            Assert.Equal((live, "tickets.get"), ((string?)found["signature"], (string?)found["operation"]));
            Assert.InRange((long)found["count"]!, 20, 21);
            var alone = await RunAsync(replica, "replay", file, "--reason", "a test", "--signature", live!);
            Assert.Equal(ExitCodes.Hold, alone.Exit);
            Assert.Contains($"next: shadowctl mismatches {live}", alone.Output, StringComparison.Ordinal);

            var bytes = await ReadAllAsync(file);
            bytes[^1] ^= 1;
            var damaged = Path.Combine(folder, "damaged");
            await File.WriteAllBytesAsync(damaged, bytes, Cancellation);
            var refused = await RunAsync(replica, "replay", damaged, "--reason", "a test");
            Assert.Equal(ExitCodes.Usage, refused.Exit);
            Assert.Contains("It was changed after it was recorded", refused.Error, StringComparison.Ordinal);
            Assert.Equal(ExitCodes.Usage, (await RunAsync(replica, "replay", Path.Combine(folder, "none"), "--reason", "a test")).Exit);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_recording_of_another_key_or_version_is_refused_and_one_that_was_cut_off_is_read_up_to_there()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            using (var writer = new RecordingWriter(path, Key, DateTimeOffset.UnixEpoch))
            {
                writer.Write([new("a.get", "{\"id\":1}"u8.ToArray()), new("a.list", "{}"u8.ToArray())]);
                writer.Write([new("a.get", "{\"id\":2}"u8.ToArray())]);
            }

            Assert.Equal(["a.get {\"id\":1}", "a.list {}", "a.get {\"id\":2}"], Read(path).Select(one => $"{one.Operation} {Encoding.UTF8.GetString(one.Json)}"));
            var bytes = File.ReadAllBytes(path);
            Assert.Equal(2, RecordingReader.Read(new MemoryStream(bytes[..^3]), Key).Count);
            Assert.Contains("another key", Refusal(bytes, SHA256.HashData("another"u8)), StringComparison.Ordinal);
            Assert.Contains("version 2", Refusal([.. bytes[..7], (byte)'2', .. bytes[8..]], Key), StringComparison.Ordinal);
            Assert.Contains("no recording", Refusal(Encoding.UTF8.GetBytes("something else entirely, of any length"), Key), StringComparison.Ordinal);
            // The time of the start is authenticated too.
            bytes[12] ^= 1;
            Assert.Contains("was changed", Refusal(bytes, Key), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }

        static string Refusal(byte[] bytes, byte[] key) =>
            Assert.Throws<InvalidDataException>(() => RecordingReader.Read(new MemoryStream(bytes), key)).Message;
    }

    [Fact]
    public async Task A_recording_without_owner_key_or_end_within_a_day_is_refused_and_the_key_is_not_quoted()
    {
        var database = await postgres.CloneAsync("replay_refused", Cancellation);
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => ShadowedService.StartAsync(database, warm: false, settings:
        [
            ("Shadowing:Recording:Until", "2100-01-01T00:00:00Z"), ("Shadowing:Recording:Key", "not-a-key"), ("Shadowing:Recording:Percent", "101"),
        ]));
        var failures = string.Join('\n', ApiHost.RefusedSettings(refused));
        foreach (var expected in new[] { "Recording:Key is not 32 bytes", "Recording:Percent = '101'", "Recording:Until = '2100", "Recording:Owner is missing", "Recording:Reason is missing", "Recording:Directory is missing" })
            Assert.Contains(expected, failures, StringComparison.Ordinal);
        Assert.DoesNotContain("not-a-key", failures, StringComparison.Ordinal);
    }

    private static (string, string)[] Recording(string folder) =>
    [
        ("Shadowing:Recording:Until", TimeProvider.System.GetUtcNow().AddHours(1).ToString("O", CultureInfo.InvariantCulture)),
        ("Shadowing:Recording:Owner", "an owner"), ("Shadowing:Recording:Reason", "a test"), ("Shadowing:Recording:Directory", folder),
        ("Shadowing:Recording:Percent", "100"), ("Shadowing:Recording:Key", Convert.ToBase64String(Key)),
    ];

    /// <summary>What is recorded so far; nothing while the file has been made and not been begun.</summary>
    private static IReadOnlyList<RecordedRequest> Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return file.Length == 0 ? [] : RecordingReader.Read(file, Key);
    }

    private static async Task<byte[]> ReadAllAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var bytes = new MemoryStream();
        await file.CopyToAsync(bytes, Cancellation);
        return bytes.ToArray();
    }

    private static Task<(int Exit, string Output, string Error)> RunAsync(Replica replica, params string[] args) =>
        ShadowctlTests.RunAsync(replica.Service, Replica.OperatorToken, args);
}
