using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Shadowing.Experiments;
using Shadowing.Journal;
using Shadowing.Model;
using Shadowing.Serving;

namespace Shadowing.Tests.Journal;

/// <summary>What is kept of mismatches: grouped, bounded, explained, and accepted only for as long as somebody answers for them.</summary>
public sealed class JournalTests
{
    [Fact]
    public async Task Mismatches_of_one_signature_are_one_group_with_early_and_recent_samples()
    {
        await using var engine = await new Engine { Candidate = Engine.Saying("no") }.StartAsync();
        for (var i = 0; i < 20; i++)
        {
            await engine.AskAsync($"question {i}");
            await engine.SettledAsync();
        }

        var group = Assert.Single(Journal(engine).Read());
        Assert.Equal((20, "mismatch", "normal"), (group.Count, group.Outcome, group.Severity));
        Assert.Equal([new("text", "value")], group.Differences);
        Assert.Equal(8, group.Samples.Count);
        Assert.Equal(group.FirstSeen, group.Samples[0].At);
        Assert.Equal(group.LastSeen, group.Samples[^1].At);
    }

    [Fact]
    public async Task What_differs_elsewhere_or_fails_otherwise_is_another_signature()
    {
        await using var engine = await new Engine { Candidate = Engine.Saying("no") }.StartAsync();
        await engine.CompareAsync();
        engine.Candidate = (_, _) => Task.FromResult(new Answer("yes", 8));
        await engine.CompareAsync();
        engine.Candidate = Engine.Failing(new NotSupportedException());
        await engine.CompareAsync();
        engine.Candidate = Engine.Failing(new InvalidOperationException());
        await engine.CompareAsync();
        var groups = Journal(engine).Read();
        Assert.Equal(4, groups.Select(group => group.Signature).Distinct().Count());
        Assert.Equal(["InvalidOperationException", "NotSupportedException", null, null], groups.Select(group => group.ErrorType).OrderBy(type => type is null).ThenBy(type => type));
        Assert.Equal(2, groups.Count(group => group.Outcome == "candidate_error"));
    }

    [Fact]
    public async Task Signatures_are_bounded_and_the_rest_are_kept_together()
    {
        var say = 0;
        await using var engine = await new Engine(new() { ["MaxSignatures"] = "10", ["Breaker:MinimumThroughput"] = "10000" })
        {
            Control = (_, _) => Task.FromResult(Deep(-1)),
            Candidate = (_, _) => Task.FromResult(Deep(say)),
        }.StartAsync();
        for (say = 0; say < 30; say++) await engine.CompareAsync();
        var groups = Journal(engine).Read();
        Assert.Equal(11, groups.Count);
        Assert.Equal(20, groups.Single(group => group.Differences is [{ Path: "_other" }]).Count);

        // Errors of thirty types make as many signatures.
        static Answer Deep(int number) => number < 0 ? new("yes") : throw (Exception)Activator.CreateInstance(Errors[number])!;
    }

    [Fact]
    public async Task A_difference_seen_only_under_concurrency_several_times_is_raised()
    {
        await using var engine = await new Engine { Candidate = Engine.Saying("no"), CandidateOnSnapshot = Engine.Saying("yes") }.StartAsync();
        await engine.CompareAsync();
        await engine.CompareAsync();
        Assert.False(Assert.Single(Journal(engine).Read()).Raised);
        await engine.CompareAsync();
        Assert.True(Assert.Single(Journal(engine).Read()).Raised);
    }

    [Fact]
    public async Task An_accepted_signature_is_tolerated_and_counted_until_it_expires()
    {
        await using var engine = await new Engine { Candidate = Engine.Saying("no") }.StartAsync();
        await engine.CompareAsync();
        var signature = Assert.Single(Journal(engine).Read()).Signature;
        Accept(engine, signature, DateTimeOffset.UtcNow.AddHours(1));
        var status = await engine.CompareAsync();
        Assert.Equal((1, 1), (status.Comparisons["mismatch"], status.Comparisons["tolerated"]));
        Assert.Equal([new MismatchCount("text", "value", 1)], status.Mismatches);
        Assert.Equal((2, 1), (Journal(engine).Read()[0].Count, Journal(engine).Read()[0].Accepted));

        Accept(engine, signature, DateTimeOffset.UtcNow.AddSeconds(-1));
        Assert.Equal(2, (await engine.CompareAsync()).Comparisons["mismatch"]);
    }

    [Fact]
    public async Task An_acceptance_is_for_the_causes_that_were_seen_not_for_whatever_differs_in_the_same_place()
    {
        await using var engine = await new Engine { Candidate = Engine.Saying("YES") }.StartAsync();
        await engine.CompareAsync();
        AcceptAll();
        Assert.Equal(1, (await engine.CompareAsync()).Comparisons["tolerated"]);

        engine.Candidate = Engine.Saying("yes ");
        var status = await engine.CompareAsync();
        Assert.Equal((2, 1), (status.Comparisons["mismatch"], status.Comparisons["tolerated"]));
        Assert.Equal(["case_handling", "trimmed_text"], Assert.Single(Journal(engine).Read()).Causes.Keys.Order());

        AcceptAll();
        Assert.Equal(2, (await engine.CompareAsync()).Comparisons["tolerated"]);

        void AcceptAll()
        {
            var seen = Assert.Single(Journal(engine).Read());
            Accept(engine, seen.Signature, DateTimeOffset.UtcNow.AddHours(1), [.. seen.Causes.Keys]);
        }
    }

    [Fact]
    public async Task An_accepted_difference_counts_as_a_mismatch_again_once_it_is_seen_clearly_more_often()
    {
        await using var engine = await new Engine(
            new() { ["YieldAfter"] = "00:00:10", ["ShadowTimeout"] = "00:00:30", ["ConfirmationsPerSecond"] = "10000" }).StartAsync();
        for (var request = 0; request < 200; request++) await AskAsync(differs: request % 40 == 0);
        var seen = Assert.Single(Journal(engine).Read());
        Assert.Equal(seen.Count, seen.Due);
        var accepted = new Acceptance(
            seen.Signature, seen.Operation, "me", "it is meant", "me", DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddHours(1))
        {
            Causes = [.. seen.Causes.Keys],
        };
        Replace(accepted);
        var counts = engine.Services.GetRequiredService<AcceptedCounts>();
        for (var request = 0; request < 100; request++) await AskAsync(differs: request % 2 == 0);
        // A busy machine may pass a request over.
        var counted = Assert.Single(counts.TakeChanged());
        var (mismatch, tolerated) = await OutcomesAsync();
        Assert.Equal((seen.Signature, tolerated), (counted.Signature, counted.Seen));
        Assert.InRange(counted.Seen, 40, 50);
        Assert.InRange(counted.Compared, counted.Seen + 40, 100);
        Assert.Empty(counts.TakeChanged());
        Assert.Equal(seen.Count, mismatch);

        var share = new AcceptedShare(5, 200, counted.Seen, counted.Compared);
        Assert.True(share.IsMore);
        Replace(accepted with { Share = share, HasGrown = share.IsMore });
        await AskAsync(differs: true);
        var after = await OutcomesAsync();
        Assert.Equal(tolerated, after.Tolerated);
        Assert.Equal(mismatch + 1, after.Mismatch);

        void Replace(Acceptance one) => engine.Services.GetRequiredService<Acceptances>().Replace([one]);

        async Task AskAsync(bool differs)
        {
            engine.Candidate = Engine.Saying(differs ? "YES" : "yes");
            await engine.CompareAsync();
        }

        async Task<(long Mismatch, long Tolerated)> OutcomesAsync() =>
            (await engine.SettledAsync()).Comparisons is var all ? (all["mismatch"], all["tolerated"]) : default;
    }

    [Fact]
    public void A_share_that_stays_as_it_was_accepted_is_hardly_ever_shown_as_grown_and_a_grown_one_soon()
    {
        var (falsely, late) = (0, 0);
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var before = (Seen: 0L, Compared: 1_000L + random.Next(4_000));
            var rate = Math.Pow(10, -3 + (2 * random.NextDouble()));
            for (var request = 0; request < before.Compared; request++)
                before.Seen += random.NextDouble() < rate ? 1 : 0;
            falsely += SoonestGrown(rate, 5_000) is null ? 0 : 1;
            late += SoonestGrown(Math.Max(10 * rate, 0.1), 5_000) is null ? 1 : 0;

            // Looked at all the time, as the service does.
            int? SoonestGrown(double now, int most)
            {
                var since = 0L;
                for (var request = 1; request <= most; request++)
                {
                    if (random.NextDouble() >= now) continue;
                    since++;
                    if (new AcceptedShare(before.Seen, before.Compared, since, request).IsMore) return request;
                }

                return null;
            }
        }

        Assert.Equal((0, 0), (falsely, late));
        // Nothing is known of what was accepted: then nothing is more.
        Assert.False(new AcceptedShare(0, 0, 100, 100).IsMore);
        Assert.False(new AcceptedShare(3, 3, 100, 100).IsMore);
        Assert.True(new AcceptedShare(0, 1_000, 100, 1_000).IsMore);
    }

    [Fact]
    public async Task An_acceptance_hides_neither_another_difference_beside_it_nor_a_leak()
    {
        await using var engine = await new Engine(experiments: Leaky) { Candidate = Engine.Saying("no") }.StartAsync();
        await AskAsync("?");
        Accept(engine, Assert.Single(Journal(engine).Read()).Signature, DateTimeOffset.UtcNow.AddHours(1));
        engine.Candidate = (_, _) => Task.FromResult(new Answer("no", 8));
        await AskAsync("?");
        engine.Candidate = Engine.Saying("no");
        await AskAsync("leak");
        var status = await engine.SettledAsync();
        Assert.Equal((3, 0), (status.Comparisons["mismatch"], status.Comparisons["tolerated"]));
        Assert.Contains(Journal(engine).Read(), group => group is { Severity: "critical", Diagnosis.Cause: "access_filter_lost" } or { Severity: "critical", Count: 2 });

        async Task AskAsync(string text)
        {
            await engine.Runner.RunAsync(Leaky, new Question(text), TestContext.Current.CancellationToken);
            await engine.SettledAsync();
        }
    }

    [Fact]
    public async Task A_candidate_that_needs_more_statements_is_noted_and_still_matches()
    {
        await using var engine = await new Engine
        {
            Candidate = (_, _) =>
            {
                for (var i = 0; i < 5; i++) StatementLedger.Current?.Ended(1, TimeProvider.System);
                return Task.FromResult(new Answer("yes"));
            },
        }.StartAsync();
        var status = await engine.CompareAsync();
        Assert.Equal((1, 0), (status.Comparisons["match"], status.Comparisons["mismatch"]));
        var group = Assert.Single(Journal(engine).Read());
        Assert.Equal(("match", "extra_statements"), (group.Outcome, group.Diagnosis.Cause));
        Assert.Equal([new("", "statements")], group.Differences);
    }

    [Fact]
    public async Task The_hash_of_a_value_is_another_in_each_sample()
    {
        await using var engine = await new Engine { Candidate = Engine.Saying("no") }.StartAsync();
        for (var request = 0; request < 3; request++)
        {
            // The text is the control's answer as well.
            await engine.AskAsync("yes");
            await engine.SettledAsync();
        }

        var samples = Assert.Single(Journal(engine).Read()).Samples;
        Assert.All(samples, sample => Assert.Equal(sample.Parameters.Single(one => one.Name == "text").Value.Hash, sample.Differences[0].Control.Hash));
        Assert.Equal(3, samples.Select(sample => sample.Differences[0].Control.Hash).Distinct().Count());
        Assert.Equal(Journal(engine).HashOf(7), Journal(engine).HashOf(7));
    }

    [Fact]
    public async Task A_store_that_was_away_gets_what_changed_meanwhile()
    {
        await using var engine = await new Engine { Candidate = Engine.Saying("no") }.StartAsync();
        await engine.CompareAsync();
        var changed = Journal(engine).TakeChanged();
        Assert.Single(changed);
        Assert.Empty(Journal(engine).TakeChanged());
        Journal(engine).GiveBack(changed);
        Assert.Single(Journal(engine).TakeChanged());
    }

    [Fact]
    public void Runs_merge_into_one_group_whatever_their_order()
    {
        var (one, other) = (Group(3, 1, "time_zone"), Group(5, 9, "truncated_time"));
        foreach (var merged in new[] { MismatchGroup.Merge([one, other]), MismatchGroup.Merge([other, one]) })
        {
            var group = Assert.Single(merged);
            Assert.Equal((8, "truncated_time"), (group.Count, group.Diagnosis.Cause));
            Assert.Equal((one.FirstSeen, other.LastSeen), (group.FirstSeen, group.LastSeen));
            Assert.Equal(["build 1", "build 9"], group.Fingerprints.Order());
        }
    }

    [Fact]
    public async Task Raw_values_are_kept_only_while_unlocked_and_never_written_with_the_group()
    {
        await using var locked = await new Engine { Candidate = Engine.Saying("secret") }.StartAsync();
        await locked.CompareAsync();
        Assert.All(Journal(locked).Read()[0].Samples, sample => Assert.Null(sample.Raw));

        Dictionary<string, string?> unlocked = new()
        {
            ["RawSamples:Until"] = DateTimeOffset.UtcNow.AddHours(1).ToString("O"),
            ["RawSamples:Owner"] = "somebody",
            ["RawSamples:Reason"] = "to see it once",
        };
        await using var open = await new Engine(unlocked) { Candidate = Engine.Saying("secret") }.StartAsync();
        await open.CompareAsync();
        var group = Journal(open).Read()[0];
        Assert.Contains("secret", group.Samples[0].Raw!.Candidate, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", System.Text.Json.JsonSerializer.Serialize(group), StringComparison.Ordinal);
        Journal(open).ForgetRaw(DateTimeOffset.UtcNow.AddHours(2));
        Assert.Null(Journal(open).Read()[0].Samples[0].Raw);
    }

    [Fact]
    public async Task Values_are_kept_encrypted_to_a_public_key_for_two_samples_of_a_signature_and_only_its_owner_reads_them()
    {
        using var owner = RSA.Create(2048);
        await using var engine = await new Engine(Sealed(owner.ExportSubjectPublicKeyInfoPem())) { Candidate = Engine.Saying("secret") }.StartAsync();
        for (var i = 0; i < 6; i++)
        {
            await engine.AskAsync($"question {i}");
            await engine.SettledAsync();
        }

        var group = Assert.Single(Journal(engine).Read());
        Assert.Equal(2, group.Samples.Count(sample => sample.Sealed is not null));
        Assert.DoesNotContain("secret", System.Text.Json.JsonSerializer.Serialize(group), StringComparison.Ordinal);
        var held = group.Samples[0].Sealed!;
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(owner.ExportSubjectPublicKeyInfo()))[..16], held.KeyId);
        var text = Convert.FromBase64String(held.Text);
        var plain = new byte[text.Length - 16];
        using var cipher = new AesGcm(owner.Decrypt(Convert.FromBase64String(held.Key), RSAEncryptionPadding.OaepSHA256), 16);
        cipher.Decrypt(Convert.FromBase64String(held.Nonce), text.AsSpan(..^16), text.AsSpan(^16..), plain, Encoding.UTF8.GetBytes(group.Operation));
        var values = System.Text.Json.Nodes.JsonNode.Parse(plain)!;
        Assert.Contains("secret", (string?)values["candidate"], StringComparison.Ordinal);
        Assert.Contains("question 0", (string?)values["request"], StringComparison.Ordinal);
        // Nor can it be shown as of another operation.
        Assert.ThrowsAny<CryptographicException>(() => cipher.Decrypt(
            Convert.FromBase64String(held.Nonce), text.AsSpan(..^16), text.AsSpan(^16..), plain, "another"u8));

        await using var without = await new Engine { Candidate = Engine.Saying("secret") }.StartAsync();
        await without.CompareAsync();
        Assert.Null(Journal(without).Read()[0].Samples[0].Sealed);
    }

    [Theory]
    [InlineData("private", "it is a private key")]
    [InlineData("small", "it has 1024 bits")]
    [InlineData("text", "no RSA public key in PEM")]
    public async Task A_key_that_must_not_be_used_is_refused_at_start_and_never_quoted(string kind, string because)
    {
        using var pair = RSA.Create(kind == "small" ? 1024 : 2048);
        var key = kind switch { "private" => pair.ExportPkcs8PrivateKeyPem(), "small" => pair.ExportSubjectPublicKeyInfoPem(), _ => "a secret by mistake" };
        var refused = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(
            async () => await StartAsync(new Engine(Sealed(key))));
        var failure = Assert.Single(refused.Failures);
        Assert.Contains(because, failure, StringComparison.Ordinal);
        Assert.DoesNotContain(key.Split('\n')[^1], failure, StringComparison.Ordinal);

        static async Task StartAsync(Engine engine)
        {
            await using (engine) await engine.StartAsync();
        }
    }

    private static Dictionary<string, string?> Sealed(string key) => new()
    {
        ["SealedSamples:PublicKey"] = key,
        ["SealedSamples:Owner"] = "the team",
        ["SealedSamples:Reason"] = "to see what differs",
    };

    private static readonly Type[] Errors =
        [.. typeof(Exception).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(SystemException)) && !type.IsAbstract && type.IsPublic
            && type.GetConstructor(Type.EmptyTypes) is not null && type.GetCustomAttributes(typeof(ObsoleteAttribute), false).Length == 0
            && !type.IsSubclassOf(typeof(OperationCanceledException)) && type != typeof(OperationCanceledException)).OrderBy(type => type.Name).Take(30)];

    private static Experiment<Oracle, Question, Answer> Leaky { get; } =
        new("oracle.ask", static (oracle, question, token) => oracle.AskAsync(question, token))
        {
            Leaks = static (question, _) => question.Text == "leak",
        };

    private static MismatchJournal Journal(Engine engine) => engine.Services.GetRequiredService<MismatchJournal>();

    private static void Accept(Engine engine, string signature, DateTimeOffset until, params string[] causes) =>
        engine.Services.GetRequiredService<Acceptances>().Replace(
        [
            new(signature, "oracle.ask", "somebody", "it is meant to be", "an operator", DateTimeOffset.UtcNow, until) { Causes = causes },
        ]);

    private static MismatchGroup Group(long count, int at, string cause)
    {
        var when = DateTimeOffset.UnixEpoch.AddDays(at);
        return new(
            "abc", "oracle.ask", "mismatch", "normal", [new("text", "value")], null, count, 0, false, when, when.AddHours(1), [$"build {at}"], ["any"],
            new Dictionary<string, long> { [cause] = count }, new(cause, "", ""), []);
    }
}
