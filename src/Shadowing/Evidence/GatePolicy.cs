using Shadowing.Model;

namespace Shadowing.Evidence;

/// <summary>What must hold before an operation may leave a stage. Every decision names its policy.</summary>
/// <remarks>Check <see cref="Failures"/> before use: the gate expects a valid policy.</remarks>
public sealed record GatePolicy
{
    /// <summary>The documented rules: days of traffic, and at most one wrong answer expected in 10,000 requests.</summary>
    public static GatePolicy Default { get; } = new();

    /// <summary>
    /// For demonstrations: the same rules with weak numbers, so that a few minutes of generated traffic pass them. It proves little.
    /// </summary>
    public static GatePolicy Demo { get; } = new()
    {
        Name = "demo",
        Alpha = 0.5,
        FirstEpsilon = 0.5,
        ServeEpsilon = 0.05,
        WrongAnswers = 0.01,
        ShapeEpsilon = 0.1,
        UnprovenLimit = 0.25,
        UserShare = 1,
        DoubtLimit = 0.05,
        SoakBeforeFull = TimeSpan.FromMinutes(1),
        SoakBeforeComplete = TimeSpan.FromMinutes(3),
        BusinessDays = 0,
        BusyHourCases = 0,
        LatencyMustPass = false,
        StatementEpsilon = 0.1,
        StageDwell = TimeSpan.FromSeconds(5),
        UncleanExitHold = TimeSpan.FromMinutes(1),
    };

    /// <summary>The name that decisions carry.</summary>
    /// <value>Not empty. A policy that is weaker than the default one may not be named <c>default</c>, which is the default.</value>
    public string Name { get; init; } = "default";

    /// <summary>The version of the policy of this name.</summary>
    /// <value>At least 1.</value>
    public int Version { get; init; } = 1;

    /// <summary>α: the chance, over all attempts, that a candidate is promoted although its rate is not below the required ε.</summary>
    /// <value>Above 0, at most 0.5. The default is 0.05.</value>
    public double Alpha { get; init; } = 0.05;

    /// <summary>The rate of mismatches that must be ruled out before more than a first sample is shadowed.</summary>
    /// <value>In (0, 1), and not below <see cref="ServeEpsilon"/>. The default is 0.01.</value>
    public double FirstEpsilon { get; init; } = 1e-2;

    /// <summary>
    /// The rate of mismatches that must be ruled out before all traffic is shadowed and before the candidate serves a user.
    /// </summary>
    /// <value>In (0, 1), and not below <see cref="WrongAnswers"/>. The default is 0.001.</value>
    public double ServeEpsilon { get; init; } = 1e-3;

    /// <summary>The share of all requests that may expect a wrong answer. ε is this share divided by the share that is served.</summary>
    /// <value>In (0, 1). The default is 0.0001.</value>
    public double WrongAnswers { get; init; } = 1e-4;

    /// <summary>The rate of mismatches that must be ruled out for each shape before it is served.</summary>
    /// <value>In (0, 1). The default is 0.01: 392 clean cases.</value>
    public double ShapeEpsilon { get; init; } = 1e-2;

    /// <summary>The share of traffic that may be of unproven shapes.</summary>
    /// <value>In [0, 1]. The default is 0.01.</value>
    public double UnprovenLimit { get; init; } = 0.01;

    /// <summary>The share of comparisons that may be incomparable.</summary>
    /// <value>In [0, 1]. The default is 0.01.</value>
    public double DoubtLimit { get; init; } = 0.01;

    /// <summary>
    /// The share of an operation's cases, and of the requests that stand for its traffic, that one user may bring: what the busiest user
    /// brings beyond it proves nothing. At 1 one user may bring everything.
    /// </summary>
    /// <value>Above 0, at most 1. The default is 0.05.</value>
    public double UserShare { get; init; } = 0.05;

    /// <summary>Traffic-hours of soak before the candidate serves everything.</summary>
    /// <value>Not negative. The default is 48 hours.</value>
    public TimeSpan SoakBeforeFull { get; init; } = TimeSpan.FromHours(48);

    /// <summary>Traffic-hours of soak before the candidate serves alone and the control may be deleted.</summary>
    /// <value>Not below <see cref="SoakBeforeFull"/>. The default is 7 days.</value>
    public TimeSpan SoakBeforeComplete { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Business days that the soak must contain.</summary>
    /// <value>Not negative. The default is 2.</value>
    public int BusinessDays { get; init; } = 2;

    /// <summary>Distinct cases from busy hours that the soak must contain, because comparisons are shed most in those hours.</summary>
    /// <value>Not negative. The default is 392, which alone proves a rate below 1 %.</value>
    public long BusyHourCases { get; init; } = 392;

    /// <summary>The percentage served up to which the cases of sweeps count like those of live traffic.</summary>
    /// <value>In [0, 100]. The default is 5.</value>
    public double SweepsCarryTo { get; init; } = 5;

    /// <summary>
    /// How long a completed sweep counts as covering all cases that existed. Cases that are written later must come from live traffic.
    /// </summary>
    /// <value>Not negative. The default is 7 days.</value>
    public TimeSpan SweepHolds { get; init; } = TimeSpan.FromDays(7);

    /// <summary>The percentage served from which latency and statements must be proven; below it they must only raise no alarm.</summary>
    /// <value>In [0, 100]. The default is 25.</value>
    public double PerformanceFrom { get; init; } = 25;

    /// <summary>Whether latency must pass from <see cref="PerformanceFrom"/> up. An alarm blocks in any case.</summary>
    /// <value>The default is true.</value>
    public bool LatencyMustPass { get; init; } = true;

    /// <summary>The share of requests, in which the candidate sends more SQL commands than the control, that must be ruled out.</summary>
    /// <value>In (0, 1), or null where it does not matter. The default is 0.01.</value>
    public double? StatementEpsilon { get; init; } = 0.01;

    /// <summary>How long each stage that serves lasts at least, because real use may show what comparisons did not.</summary>
    /// <value>Not negative. The default is 1 hour.</value>
    public TimeSpan StageDwell { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a replica's unclean exit holds the gate.</summary>
    /// <value>Not negative. The default is 1 hour.</value>
    public TimeSpan UncleanExitHold { get; init; } = TimeSpan.FromHours(1);

    /// <summary>τ of <see cref="RollbackWindows"/>.</summary>
    /// <value>In (0, 1). The default is 0.00001.</value>
    public double FailureRate { get; init; } = RollbackWindows.DefaultRate;

    /// <summary>A of <see cref="RollbackWindows"/>.</summary>
    /// <value>At least 1. The default is 1,000,000.</value>
    public double FailureOdds { get; init; } = RollbackWindows.DefaultOdds;

    /// <summary>The rate of mismatches that must be ruled out before a stage may be entered.</summary>
    /// <returns>Null where nothing must be proven: the stage serves no user, and at most 1 percent is shadowed.</returns>
    public double? EpsilonToEnter(Stage stage)
    {
        ArgumentNullException.ThrowIfNull(stage);
        if (stage.Serves) return Math.Min(ServeEpsilon, WrongAnswers * 100 / stage.ServePercent);
        return stage.ShadowPercent switch
        {
            > 10 => ServeEpsilon,
            > 1 => FirstEpsilon,
            _ => null,
        };
    }

    /// <summary>All faults of the policy, each with the value given; empty where it may be used.</summary>
    public IReadOnlyList<string> Failures() => GatePolicyRules.Failures(this);

    /// <summary>Whether any rule is easier than in the default policy; then every decision mentions it.</summary>
    public bool IsWeakerThanDefault() => GatePolicyRules.IsWeaker(this, Default);
}
