using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Ticketing.Api.Tests.Http;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Api.Tests.Sandbox;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Security;

/// <summary>
/// Requests of users and staff made from the service's own description, valid and mutated: none is answered 5xx or with a reset, and a right candidate never
/// differs. In the long form 100,000 of them.
/// </summary>
public sealed class FuzzTests(PostgresFixture postgres)
{
    private const int Parallel = 4;

    private static readonly int[] Users = [30, 31, ShadowedService.Staff, 4];
    private static readonly string[] Operations =
        ["tickets.list", "tickets.get", "tickets.create", "tickets.update", "tickets.delete", "tickets.comment", "tickets.stats"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_request_that_the_description_allows_or_forbids_is_answered_5xx_and_a_right_candidate_never_differs()
    {
        await using var replica = await Replica.StartAsync(
            await postgres.CloneAsync("fuzz", Cancellation), settings: [.. WritesUnderTrafficTests.Everything, ("Shadowing:ShadowTimeout", "00:00:30")]);
        var calls = FuzzCall.ReadAll(JsonNode.Parse(await replica.Service.Http.GetStringAsync("/openapi/v1.json", Cancellation))!);
        Assert.True(calls.Count > 20, $"{calls.Count}");
        var ofUsers = calls.Where(call => call.IsOfUsers).ToArray();
        var many = Effort.Of(300, 50_000);
        await DriveAsync(replica, ofUsers, many, seed: 1, Users.Select(user => AccessTokens.For(user)).ToArray());
        await replica.ProveAsync();
        await replica.ServeAsync();
        await DriveAsync(replica, ofUsers, many, seed: 2, Users.Select(user => AccessTokens.For(user)).ToArray());
        await NeverDiffersAsync(replica);
    }

    private static async Task DriveAsync(Replica replica, FuzzCall[] calls, int requests, int seed, string[] tokens)
    {
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, Parallel).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var number && number < requests)
            {
                // Each request by its own seed, so that a failure names what repeats it.
                var random = new Random(HashCode.Combine(seed, number) & int.MaxValue);
                await SendAsync(replica, calls[number % calls.Length].Make(new FuzzValues(new Random((seed * 1_000_003) + number))), tokens[random.Next(tokens.Length)],
                    $"seed {seed}, number {number}");
            }
        }, Cancellation)));
    }

    private static async Task SendAsync(Replica replica, FuzzRequest fuzzed, string token, string which)
    {
        var uri = new Uri(
            replica.Service.Http.BaseAddress!.ToString().TrimEnd('/') + fuzzed.PathAndQuery,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(new(fuzzed.Method), uri);
        request.Headers.Authorization = new("Bearer", token);
        if (fuzzed.Body is { } body)
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        try
        {
            using var response = await replica.Service.Http.SendAsync(request, Cancellation);
            var answer = await response.Content.ReadAsStringAsync(Cancellation);
            Assert.True((int)response.StatusCode < 500, $"{which}: {(int)response.StatusCode} for {fuzzed.Shown} {answer}");
            if (response.StatusCode < HttpStatusCode.BadRequest) return;
            // A path that cannot be decoded is refused by the server itself, before any code of the service runs, and without a body.
            if (answer.Length == 0) Assert.True(response.StatusCode is HttpStatusCode.BadRequest && fuzzed.Path.Contains('%', StringComparison.Ordinal), $"{which}: {fuzzed.Shown}");
            else Assert.NotNull((string?)JsonNode.Parse(answer)!["code"]);
        }
        catch (HttpRequestException reset)
        {
            Assert.Fail($"{which}: {reset.Message} for {fuzzed.Shown}");
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
