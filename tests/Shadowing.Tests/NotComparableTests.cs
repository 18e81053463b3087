using System.Net;
using System.Text.Json;
using Shadowing.Comparison;
using Shadowing.Experiments;
using Shadowing.Supervision;

namespace Shadowing.Tests;

/// <summary>Unknown is never equal, from the request to what is counted.</summary>
public sealed class NotComparableTests
{
    private static readonly Experiment<Oracle, Question, Document> OfJson = new("oracle.json", static async (oracle, question, token) =>
        new(JsonElement.Parse((await oracle.AskAsync(question, token)).Text!)));

    private static readonly Experiment<Oracle, Question, Anything> OfAnything = new("oracle.anything", static async (oracle, question, token) =>
    {
        await oracle.AskAsync(question, token);
        return new(new object());
    });

    private static readonly Experiment<Oracle, Question, Streamed> OfStream = new("oracle.stream", static async (oracle, question, token) =>
    {
        await oracle.AskAsync(question, token);
        return new([Stream.Null]);
    });

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_wrong_candidate_is_a_mismatch_where_answers_are_json()
    {
        await using var engine = await new Engine(experiments: OfJson)
        {
            Control = Engine.Saying("""{"items": [{"price": 1}]}"""),
            Candidate = Engine.Saying("""{"items": [{"price": 2}]}"""),
        }.StartAsync();
        await engine.Runner.RunAsync(OfJson, new Question(), Cancellation);
        var status = await engine.SettledAsync();
        Assert.Equal((1, 0), (status.Comparisons["mismatch"], status.Comparisons["match"]));
        Assert.Equal("payload.items[*].price", Assert.Single(status.Mismatches).Path);
    }

    [Fact]
    public async Task Equal_json_matches_and_the_detector_of_it_is_alive()
    {
        await using var engine = await new Engine(experiments: OfJson)
        {
            Control = Engine.Saying("""{"a": 1, "b": "x"}"""),
            Candidate = Engine.Saying("""{"b": "x", "a": 1}"""),
        }.StartAsync();
        await engine.Runner.RunAsync(OfJson, new Question(), Cancellation);
        Assert.Equal(1, (await engine.SettledAsync()).Comparisons["match"]);
        await Eventually.HoldsAsync(() => engine.Status.SelfTest is { Planted: 1, Found: 1, IsAlive: true });
    }

    [Fact]
    public async Task An_answer_that_cannot_be_compared_never_counts_as_a_match_and_is_reported()
    {
        await using var engine = await new Engine(experiments: OfAnything).StartAsync();
        for (var i = 0; i < 3; i++) await engine.Runner.RunAsync(OfAnything, new Question(), Cancellation);
        var status = await engine.SettledAsync();
        Assert.Equal((3, 0), (status.Comparisons["incomparable"], status.Comparisons["match"]));
        Assert.Equal([(OfAnything.Operation, new NotComparablePath("value", "System.Object"), false)], engine.Rollout.NotComparable);
        await Eventually.HoldsAsync(() => engine.Status.SelfTest is { Planted: 0, NotPlanted: > 0, IsAlive: null });
    }

    [Fact]
    public async Task A_declared_type_that_cannot_be_compared_holds_shadowing_off_and_users_are_answered()
    {
        await using var engine = await new Engine(experiments: OfStream).StartAsync();
        Assert.Equal([(OfStream.Operation, new NotComparablePath("parts[*]", "System.IO.Stream"), true)], engine.Rollout.NotComparable);
        Assert.Equal([ShadowSwitch.NotComparable], engine.Switch.Reasons);
        Assert.Same(Stream.Null, Assert.Single((await engine.Runner.RunAsync(OfStream, new Question(), Cancellation)).Parts));
        Assert.Equal(1, (await engine.SettledAsync()).Skips["off"]);
        Assert.DoesNotContain("Candidate Shadow", engine.Opened);
    }

    [Fact]
    public void Answers_that_differ_in_what_json_leaves_out_are_not_one_case()
    {
        Assert.NotEqual(Case((1, "a")), Case((2, "a")));
        Assert.NotEqual(Case(IPAddress.Parse("10.0.0.1")), Case(IPAddress.Parse("10.0.0.2")));
        Assert.NotEqual(Case(new { At = IPAddress.IPv6Loopback }), Case(new { At = IPAddress.IPv6Any }));
        Assert.NotEqual(Case(JsonElement.Parse("1")), Case(JsonElement.Parse("2")));
        Assert.NotEqual(Case(new List<IShape> { new Round(1) }), Case(new List<IShape> { new Round(2) }));
        Assert.NotNull(Case(new List<IShape> { new Round(1) }));
        Assert.Null(Case(new Secret(1)));
        Assert.Null(Case(new MemoryStream()));
        Assert.Null(Case(default(JsonElement)));

        static ulong? Case(object answer)
        {
            try
            {
                return Shadowing.Evidence.CaseHash.Compute("a", "any", null, answer, null);
            }
            catch (Exception unsaid) when (unsaid is NotSupportedException or InvalidOperationException)
            {
                return null;
            }
        }
    }

    internal interface IShape;

    internal sealed record Round(int Radius) : IShape;

    internal sealed record Secret
    {
        private readonly int _hidden;

        public Secret(int hidden) => _hidden = hidden;
    }

    internal sealed record Document(JsonElement Payload);

    internal sealed record Anything(object Value);

    internal sealed record Streamed(IReadOnlyList<Stream> Parts);
}
