using Shadowing.Model;

namespace Shadowing.Evidence;

/// <summary>What must hold before a stage is left. Every verdict names the policy it was reached under.</summary>
/// <remarks>Check <see cref="Failures"/> before use: the gate takes a policy to be valid.</remarks>
public sealed record GatePolicy
{
    /// <summary>The document's rules: days of traffic, one wrong answer expected in 10,000 requests at most.</summary>
    public static GatePolicy Default { get; } = new();

    /// <summary>
    /// For demonstrations: the same rules with weak numbers, so that a few minutes of driven traffic pass them. It proves little.
    /// </summary>
    public static GatePolicy Demo { get; } = new()
    {
        Name = "demo",
        FirstEpsilon = 0.5,
        ServeEpsilon = 0.05,
        WrongAnswers = 0.01,
        ShapeEpsilon = 0.1,
        UnprovenLimit = 0.25,
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

    /// <summary>The name that verdicts carry.</summary>
    /// <value>Not empty. <c>default</c> is kept for the policy that is.</value>
    public string Name { get; init; } = "default";

    /// <summary>Counts the changes of the policy of this name.</summary>
    /// <value>At least 1.</value>
    public int Version { get; init; } = 1;

    /// <summary>α: the chance that a candidate is ever promoted though it is as bad as the ε it had to beat; over all attempts.</summary>
    /// <value>Above 0, at most 0.5. The default is 0.05.</value>
    public double Alpha { get; init; } = 0.05;

    /// <summary>The rate of mismatches to be below of, before more than a first sample is shadowed.</summary>
    /// <value>In (0, 1), and not below <see cref="ServeEpsilon"/>. The default is 0.01.</value>
    public double FirstEpsilon { get; init; } = 1e-2;

    /// <summary>The rate of mismatches to be below of, before all traffic is shadowed and before the candidate serves anybody.</summary>
    /// <value>In (0, 1), and not below <see cref="WrongAnswers"/>. The default is 0.001.</value>
    public double ServeEpsilon { get; init; } = 1e-3;

    /// <summary>The share of all requests that may expect a wrong answer: ε is this, divided by the share that is served.</summary>
    /// <value>In (0, 1). The default is 0.0001.</value>
    public double WrongAnswers { get; init; } = 1e-4;

    /// <summary>The rate of mismatches that each shape must be below of to be served.</summary>
    /// <value>In (0, 1). The default is 0.01: 392 clean cases.</value>
    public double ShapeEpsilon { get; init; } = 1e-2;

    /// <summary>The share of traffic that may be of unproven shapes.</summary>
    /// <value>In [0, 1]. The default is 0.01.</value>
    public double UnprovenLimit { get; init; } = 0.01;

    /// <summary>The share of comparisons that may be incomparable.</summary>
    /// <value>In [0, 1]. The default is 0.01.</value>
    public double DoubtLimit { get; init; } = 0.01;

    /// <summary>Traffic-hours of soak before the candidate serves everything.</summary>
    /// <value>Not negative. The default is 48 hours.</value>
    public TimeSpan SoakBeforeFull { get; init; } = TimeSpan.FromHours(48);

    /// <summary>Traffic-hours of soak before the control is let go.</summary>
    /// <value>Not below <see cref="SoakBeforeFull"/>. The default is 7 days.</value>
    public TimeSpan SoakBeforeComplete { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Business days that the soak must contain.</summary>
    /// <value>Not negative. The default is 2.</value>
    public int BusinessDays { get; init; } = 2;

    /// <summary>Distinct cases from busy hours that the soak must contain, because shedding thins them just there.</summary>
    /// <value>Not negative. The default is 392, which alone proves a rate below 1 %.</value>
    public long BusyHourCases { get; init; } = 392;

    /// <summary>The stage, by the percentage it serves, up to which the cases of sweeps count as those of live traffic do.</summary>
    /// <value>In [0, 100]. The default is 5.</value>
    public double SweepsCarryTo { get; init; } = 5;

    /// <summary>
    /// How long a sweep that has come to its end speaks for all cases that exist; what is written later is live traffic's to bring.
    /// </summary>
    /// <value>Not negative. The default is 7 days.</value>
    public TimeSpan SweepHolds { get; init; } = TimeSpan.FromDays(7);

    /// <summary>The percentage from which on latency and statements must be proven, and not only raise no alarm.</summary>
    /// <value>In [0, 100]. The default is 25.</value>
    public double PerformanceFrom { get; init; } = 25;

    /// <summary>Whether latency must pass from <see cref="PerformanceFrom"/> up. An alarm blocks in any case.</summary>
    /// <value>The default is true.</value>
    public bool LatencyMustPass { get; init; } = true;

    /// <summary>The share of requests to be below of in which the candidate sends more SQL commands than the control.</summary>
    /// <value>In (0, 1), or null where it does not matter. The default is 0.01.</value>
    public double? StatementEpsilon { get; init; } = 0.01;

    /// <summary>How long each stage that serves lasts at least: what is proven unseen is still to be seen in the open.</summary>
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

    /// <summary>The rate of mismatches to be proven below of, before a stage may be entered.</summary>
    /// <returns>Null where nothing is to be proven: nobody is served, and hardly anything shadowed.</returns>
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

    /// <summary>All that is wrong with the policy, each with the value given; empty where it may be used.</summary>
    public IReadOnlyList<string> Failures() => GatePolicyRules.Failures(this);

    /// <summary>Whether anything is easier under this policy than under the default; then every verdict says so.</summary>
    public bool IsWeakerThanDefault() => GatePolicyRules.IsWeaker(this, Default);
}
