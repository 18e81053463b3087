using Shadowing.Evidence;
using Shadowing.Model;

namespace Simulation;

/// <summary>What came of a rule on a scenario, over all runs.</summary>
internal sealed record Result(string Scenario, string Rule, IReadOnlyList<Outcome> Runs)
{
    public const string Proof = "gate, mismatches dismissed";

    public double Complete => Runs.Average(run => run.IsComplete ? 1 : 0);

    public double False => Runs.Average(run => run.IsFalse ? 1 : 0);

    public double WrongServed => Runs.Average(run => run.WrongServed);

    public double Days => Runs.Where(run => run.IsComplete).Select(run => run.Took.TotalDays).DefaultIfEmpty(double.NaN).Average();

    /// <summary>The gate claims to promote falsely in at most α of all runs, ever; three standard errors are allowed for chance.</summary>
    public bool BreaksItsPromise => Rule.StartsWith("gate", StringComparison.Ordinal)
        && False > GatePolicy.Default.Alpha + (3 * Math.Sqrt(GatePolicy.Default.Alpha * (1 - GatePolicy.Default.Alpha) / Runs.Count));
}

/// <summary>Every rule on every scenario.</summary>
internal static class Tournament
{
    private static readonly (string Name, Func<Scenario, Rule> New)[] Rules =
    [
        ("gate", scenario => new GateRule(scenario, dismisses: false)), (Result.Proof, scenario => new GateRule(scenario, dismisses: true)),
        ("fixed ratio", scenario => new FixedRatioRule(scenario)), ("Wilson", scenario => new WilsonRule(scenario)),
        ("Flagger-like", scenario => new FlaggerLikeRule(scenario)), ("Argo-like", scenario => new ArgoLikeRule(scenario)),
    ];

    public static IReadOnlyList<Result> Run(int runs, TimeSpan longest) =>
    [
        .. from scenario in Scenario.All
           from rule in Rules
           select new Result(scenario.Name, rule.Name, [.. Enumerable.Range(0, runs).AsParallel().Select(seed => RunOne(scenario, rule.New(scenario), seed, longest))]),
    ];

    private static Outcome RunOne(Scenario scenario, Rule rule, int seed, TimeSpan longest)
    {
        var random = new Random(seed);
        var seen = new Seen[Traffic.Shapes];
        var took = TimeSpan.Zero;
        while (took < longest && rule.Stage != Stage.Complete && !rule.HasStopped)
        {
            for (var i = 0; i < seen.Length; i++) seen[i] = default;
            for (var minute = 0; minute < Rule.Look.TotalMinutes; minute++) Add(scenario, seen, (long)took.TotalMinutes + minute, random);
            took += Rule.Look;
            rule.Step(seen, random);
        }

        return new(rule.Stage == Stage.Complete, rule.IsFalse, rule.WrongServed, took);
    }

    private static void Add(Scenario scenario, Seen[] seen, long minute, Random random)
    {
        for (var i = 0; i < seen.Length; i++)
        {
            var requests = Draw.Poisson(Traffic.PerSecond * 60 * Traffic.Share(i), random);
            var cases = Draw.Part(requests, Traffic.NewShare(i), random);
            var rate = scenario.Rate(i, minute);
            var wrongCases = Draw.Part(cases, rate, random);
            var wrongRequests = wrongCases + Draw.Part(requests - cases, rate, random);
            seen[i] = new(seen[i].Requests + requests, seen[i].Cases + cases, seen[i].WrongCases + wrongCases, seen[i].WrongRequests + wrongRequests);
        }
    }
}
