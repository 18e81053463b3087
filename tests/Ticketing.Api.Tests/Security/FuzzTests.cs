using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Ticketing.Api.Tests.Http;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Api.Tests.Sandbox;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Security;

/// <summary>
/// Requests of users, staff and operators made from the service's own description, valid and mutated: none is answered 5xx or with a reset,
/// and a right candidate never differs. In the long form 100,000 of them.
/// </summary>
public sealed class FuzzTests(PostgresFixture postgres)
{
    private const int Parallel = 4;
    private const int Between = 2_000;

    private static readonly string[] Tokens =
        [.. new[] { 30, 31, ShadowedService.Staff, 4 }.Select(user => AccessTokens.For(user))];
    private static readonly string[] OperatorTokens =
        [Replica.OperatorToken, Replica.OperatorToken, Replica.OperatorToken, Replica.WebhookToken, ShadowedService.ViewerToken, Tokens[2], ""];
    private static readonly string[] Operations =
        ["tickets.list", "tickets.get", "tickets.create", "tickets.update", "tickets.delete", "tickets.comment", "tickets.stats"];

    private readonly SortedDictionary<string, int> _answers = new(StringComparer.Ordinal);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_request_that_the_description_allows_or_forbids_is_answered_5xx_and_a_right_candidate_never_differs()
    {
        await using var replica = await Replica.StartAsync(
            await postgres.CloneAsync("fuzz", Cancellation), settings:
            [.. WritesUnderTrafficTests.Everything, ("Shadowing:ShadowTimeout", "00:00:30")]);
        var calls = FuzzCall.ReadAll(JsonNode.Parse(await replica.Service.Http.GetStringAsync("/openapi/v1.json", Cancellation))!);
        var (users, operators) = (calls.Where(call => call.IsOfUsers).ToArray(), calls.Where(call => call.IsOfOperators).ToArray());
        Assert.True(users.Length >= 7 && operators.Length >= 25, $"{users.Length} {operators.Length}");

        // Users alone: the control serves them, then the candidate does.
        await DriveAsync(replica, users, Effort.Of(300, 40_000), seed: 1, Tokens);
        await NeverDiffersAsync(replica);
        await WritesUnderTrafficTests.DriveAsync(replica.Service, requests: 400, concurrency: 4, seed: 7, Operations);
        foreach (var operation in Operations) await ServeAsync(replica, operation);
        await DriveAsync(replica, users, Effort.Of(300, 40_000), seed: 2, Tokens);
        await NeverDiffersAsync(replica);
        Assert.NotEmpty(replica.CandidateStarts);

        // Operators beside them, whose requests change what serves; what they took back is served again before the next round.
        for (var round = 0; round < Effort.Of(2, 10); round++)
        {
            foreach (var operation in Operations) await ServeAsync(replica, operation);
            await Task.WhenAll(
                DriveAsync(replica, users, Effort.Of(60, 500), seed: 100 + round, Tokens),
                DriveAsync(replica, operators, Effort.Of(150, 1_500), seed: 200 + round, OperatorTokens));
        }

        await NeverDiffersAsync(replica);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', _answers.Select(one => $"{one.Key}: {one.Value}")));
    }

    /// <summary>Lets the candidate serve an operation, whatever operators have done to it.</summary>
    private static async Task ServeAsync(Replica replica, string operation)
    {
        if ((string?)(await replica.RolloutAsync(operation))["heldBecause"] is not null)
            await replica.ChangeAsync(operation, new() { ["acknowledge"] = true });
        await replica.ChangeAsync(operation, new() { ["nominate"] = "this" });
        await replica.ServeAsync(operation);
    }

    private async Task DriveAsync(Replica replica, FuzzCall[] calls, int requests, int seed, string[] tokens)
    {
        for (var from = 0; from < requests; from += Between)
        {
            var (next, until) = (from - 1, Math.Min(from + Between, requests));
            await Task.WhenAll(Enumerable.Range(0, Parallel).Select(_ => Task.Run(async () =>
            {
                while (Interlocked.Increment(ref next) is var number && number < until)
                {
                    // Each request by its own seed, so that a failure names what repeats it.
                    var random = new Random((seed * 1_000_003) + number);
                    var call = calls[number % calls.Length];
                    var status = await SendAsync(
                        replica, call.Make(new FuzzValues(random)), tokens[random.Next(tokens.Length)], $"seed {seed}, number {number}");
                    lock (_answers)
                        _answers[$"{call.Shown} {status}"] = _answers.GetValueOrDefault($"{call.Shown} {status}") + 1;
                }
            }, Cancellation)));
            // What is compared keeps up, so that little is shed.
            foreach (var operation in Operations) await replica.Service.SettledAsync(operation);
        }
    }

    private static async Task<int> SendAsync(Replica replica, FuzzRequest fuzzed, string token, string which)
    {
        var uri = new Uri(
            replica.Service.Http.BaseAddress!.ToString().TrimEnd('/') + fuzzed.PathAndQuery,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(new(fuzzed.Method), uri);
        if (token.Length > 0) request.Headers.Authorization = new("Bearer", token);
        if (fuzzed.Body is { } body)
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        try
        {
            using var response = await replica.Service.Http.SendAsync(request, Cancellation);
            var answer = await response.Content.ReadAsStringAsync(Cancellation);
            Assert.True((int)response.StatusCode < 500, $"{which}: {(int)response.StatusCode} for {fuzzed.Shown} {answer}");
            // That of a gate that says no is its document.
            if (response.StatusCode >= HttpStatusCode.BadRequest)
            {
                var told = answer.Length == 0 ? null : JsonNode.Parse(answer);
                Assert.True(told?["decision"] is not null || (string?)told?["code"] is { Length: > 0 }, $"{which}: {fuzzed.Shown} {answer}");
            }

            return (int)response.StatusCode;
        }
        catch (HttpRequestException reset)
        {
            throw new InvalidOperationException($"{which}: {reset.Message} for {fuzzed.Shown}", reset);
        }
    }

    private static async Task NeverDiffersAsync(Replica replica)
    {
        var compared = 0;
        foreach (var operation in Operations)
        {
            var status = await replica.Service.SettledAsync(operation);
            Assert.Equal((operation, 0, 0), (operation, status.Comparisons["mismatch"], status.Comparisons["candidate_error"]));
            if (status.Comparisons["match"] + status.Comparisons["tolerated"] > 0) compared++;
        }

        // Few of the mutated bodies are valid, so a short run compares some of the operations only.
        Assert.InRange(compared, Effort.Of(3, Operations.Length), Operations.Length);

        var noted = (await replica.GetAsync("mismatches"))["mismatches"]!.AsArray();
        Assert.True(noted.Count == 0, noted.ToJsonString());
    }
}
