using Shadowing.Evidence;
using Shadowing.Model;
using Shadowing.Rollout;
using Shadowing.Settings;

namespace Simulation;

/// <summary>A read of a small team's service.</summary>
/// <param name="PerSecond">Requests on a working day, on average.</param>
/// <param name="NewCases">The share of them that bring a case that was not seen before.</param>
/// <param name="UserShapes">Shapes of ordinary users, and of administrators: three people, who make one request in twenty.</param>
internal sealed record TeamOperation(string Name, double PerSecond, double NewCases, int UserShapes, int AdminShapes);

/// <summary>When an operation entered each stage, in days since it was first shadowed.</summary>
internal sealed record Climb(TeamOperation Operation, bool Sweeps, bool Deploys, IReadOnlyList<(Stage Stage, double Day)> Entered, string Waits);

/// <summary>
/// How long a good candidate takes at the default policy: two requests a second over three reads, 300 shapes, three administrators, a working day
/// with its night, weekends of a tenth, and five deploys a day. A deploy that changes neither side's code changes no fingerprint. It begins where
/// the settings' default lets an operation begin.
/// </summary>
internal static class SmallTeam
{
    private static readonly DateTimeOffset Monday = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Look = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(120);
    private static readonly ShadowingOptions Options = new();

    public static IReadOnlyList<TeamOperation> Operations { get; } =
    [
        new("tickets.list", 1.0, 0.5, 140, 60), new("tickets.get", 0.8, 0.3, 40, 20), new("tickets.stats", 0.2, 0.2, 20, 20),
    ];

    /// <param name="sweeps">Whether every shape is swept on the first day, and again each week.</param>
    /// <param name="deploys">Whether the candidate's code is changed once a week for the first two weeks, so that its evidence begins anew.</param>
    public static Climb Run(TeamOperation operation, bool sweeps, bool deploys, int seed)
    {
        var random = new Random(seed);
        double[] shares =
        [
            .. Traffic.Zipf(operation.UserShapes, 0.95), .. Traffic.Zipf(operation.AdminShapes, 0.05),
        ];
        var shapes = new (long Requests, long Cases, long Live, long Compared)[shares.Length];
        var state = new RolloutState(operation.Name, 0, Stage.Shadow, "candidate", IsAutomatic: true);
        var days = new List<TrafficDay>();
        var (unproven, began) = (UnprovenShare.None, Monday);
        IReadOnlySet<string> proven = new HashSet<string>();
        IReadOnlyDictionary<string, double> plan = new Dictionary<string, double>();
        var entered = new List<(Stage, double)>();
        GateDecision? decision = null;
        var busyCases = 0L;
        for (var now = Monday; now - Monday < Longest && state.Stage != Stage.Complete; now += Look)
        {
            if (deploys && now - Monday is var since && (since == TimeSpan.FromDays(7) || since == TimeSpan.FromDays(14)))
            {
                (shapes, unproven, began, busyCases) = (new (long, long, long, long)[shares.Length], UnprovenShare.None, now, 0);
                state = RolloutRules.Apply(state, new Nominate($"candidate {now:MMdd}", state.Attempt + 1, "somebody", "a fix"), null).State;
                entered.Clear();
            }

            var rate = operation.PerSecond * Weight(now);
            long unprovenNow = 0, requests = 0;
            var isBusy = Weight(now) >= 1;
            for (var i = 0; i < shares.Length; i++)
            {
                var arrived = Draw.Poisson(rate * shares[i] * Look.TotalSeconds, random);
                var compared = Draw.Part(arrived, state.Stage.ShadowPercent / 100 * plan.GetValueOrDefault(Name(i), 1), random);
                var cases = Draw.Part(compared, operation.NewCases, random);
                shapes[i] = (shapes[i].Requests + arrived, shapes[i].Cases + cases, shapes[i].Live + cases, shapes[i].Compared + compared);
                if (isBusy) busyCases += cases;
                requests += arrived;
                if (!proven.Contains(Name(i))) unprovenNow += arrived;
            }

            days = Counted(days, operation.Name, now, requests);
            unproven = unproven.Count(unproven.Epoch, unprovenNow, requests).Looked();
            state = state with { InStage = state.InStage + Look };
            var evidence = Evidence(operation, shapes, unproven, busyCases, sweeps, state, new TrafficDays(now + Look, days).SoakOf(operation.Name, began));
            decision = Gate.Decide(evidence, GatePolicy.Default, state.Stage);
            proven = Gate.ProvenShapes(evidence, GatePolicy.Default);
            plan = CoveragePlan.SampleShares(evidence, GatePolicy.Default, state.Stage, Options);
            if (decision.Decision is not GateVerdict.Advance) continue;
            state = RolloutRules.Apply(state, new MoveTo(decision.Target, false, "service", ""), decision).State;
            entered.Add((state.Stage, (now + Look - Monday).TotalDays));
        }

        return new(operation, sweeps, deploys, entered, state.Stage == Stage.Complete ? "" : decision!.Reasons[0].Text);
    }

    private static OperationEvidence Evidence(
        TeamOperation operation, (long Requests, long Cases, long Live, long Compared)[] shapes, UnprovenShare unproven, long busyCases, bool sweeps,
        RolloutState state, (TimeSpan Soak, int Days) soak)
    {
        var (requests, live, compared) = (shapes.Sum(shape => shape.Requests), shapes.Sum(shape => shape.Live), shapes.Sum(shape => shape.Compared));
        var swept = sweeps ? shapes.Length * SweptCases : 0;
        var blocks = compared / 20 / LatencyBlocks.Pairs;
        return new()
        {
            Operation = operation.Name,
            Candidate = state.Nominated!,
            Nominated = true,
            Attempt = state.Attempt,
            Operations = Operations.Count,
            Sample = new() { Due = compared, Decided = compared - (compared / 500), Tries = compared },
            Cases = live + swept,
            LiveCases = live,
            BusyHourCases = Math.Min(busyCases, live),
            Comparisons = compared,
            Incomparable = compared / 500,
            Statements = new(0, compared),

            // A candidate as fast as the control: by so much a block it is less often above 1.2 or 1.5 times the threshold.
            Latency = new(new(blocks, -30 * blocks, 1000 * blocks), new(blocks, -4 * blocks, 32 * blocks), new(blocks, -blocks, 5 * blocks)),
            UnprovenBound = unproven.Bound,
            Soak = soak.Soak,
            BusinessDays = soak.Days,
            InStage = state.InStage,
            Shapes =
            [
                .. shapes.Select((shape, i) => new ShapeEvidence(Name(i))
                {
                    Cases = shape.Cases + (sweeps ? SweptCases : 0),
                    LiveCases = shape.Live,
                    Existing = sweeps ? SweptCases : null,
                    Swept = sweeps ? SweptCases : 0,
                    TrafficShare = shape.Requests / (double)Math.Max(1, requests),
                    Due = shape.Compared,
                    Decided = shape.Compared - (shape.Compared / 500),
                }),
            ],
        };
    }

    /// <summary>As many cases exist in each shape, far fewer than prove it by their number.</summary>
    private const long SweptCases = 50;

    private static List<TrafficDay> Counted(List<TrafficDay> days, string operation, DateTimeOffset now, long requests)
    {
        var day = DateOnly.FromDateTime(now.UtcDateTime);
        if (days is [.., var last] && last.Day == day) days[^1] = last with { Requests = last.Requests + requests, LastAt = now + Look };
        else days.Add(new(operation, day, requests, now + Look));
        return days;
    }

    /// <summary>Twice the average in working hours, a third of it at night; a tenth of that on weekends.</summary>
    private static double Weight(DateTimeOffset now) =>
        (now.Hour is >= 8 and < 18 ? 2 : 0.3) * (now.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 0.1 : 1);

    private static string Name(int shape) => $"s{shape}";
}
