using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Demo.Traffic;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>A request that was sent, and what came of it.</summary>
internal sealed record Answer(string Operation, string Path, int Status);

/// <summary>The demo's requests with most of the reads left out, and every answer kept.</summary>
internal static class WriteTraffic
{
    private const int ReadsLeftOut = 31;
    private const int NobodysTicket = 2_147_000_000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Sends requests in the order of the plan, so many at once; every one must be answered as it should be.</summary>
    public static async Task<IReadOnlyList<Answer>> DriveAsync(ShadowedService service, int requests, int concurrency, int seed = 1)
    {
        var plan = new TrafficPlan(await Population.ReadAsync(service.Database.Owner, Cancellation), seed);
        var tokens = new AccessTokens(Http.AccessTokens.SigningKey, TimeProvider.System);
        var (created, answers) = (new ConcurrentQueue<int>(), new ConcurrentQueue<Answer>());
        var sending = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = Cancellation };
        await Parallel.ForEachAsync(MostlyWrites(plan).Take(requests), sending, async (planned, token) =>
        {
            using var request = Build(planned, tokens, created);
            var path = request.RequestUri!.OriginalString;
            using var response = await service.Http.SendAsync(request, token);
            var body = await response.Content.ReadAsStringAsync(token);
            var answer = new Answer(planned.Operation, path, (int)response.StatusCode);
            Assert.True(planned.Expected.Contains(answer.Status), $"{answer} {body}");
            if (planned.Operation == "tickets.create") created.Enqueue(IdIn(body));
            answers.Enqueue(answer);
        });
        return [.. answers];
    }

    public static int IdIn(string body)
    {
        using var json = JsonDocument.Parse(body);
        return json.RootElement.GetProperty("id").GetInt32();
    }

    private static IEnumerable<PlannedRequest> MostlyWrites(TrafficPlan plan)
    {
        for (var reads = 0; ;)
        {
            var planned = plan.Next();
            if (planned.Method != HttpMethod.Get || reads++ % (ReadsLeftOut + 1) == 0) yield return planned;
        }
    }

    private static HttpRequestMessage Build(PlannedRequest planned, AccessTokens tokens, ConcurrentQueue<int> created)
    {
        var path = planned.Path;
        if (path.Contains(PlannedRequest.Created, StringComparison.Ordinal))
        {
            var id = created.TryDequeue(out var oldest) ? oldest : NobodysTicket;
            path = path.Replace(PlannedRequest.Created, id.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        }

        return new(planned.Method, path)
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", tokens.TokenFor(planned.By)) },
            Content = planned.Body is null ? null : new StringContent(planned.Body, Encoding.UTF8, "application/json"),
        };
    }
}
