using Shadowing.Model;

namespace Simulation;

/// <summary>What is wrong with the candidate.</summary>
/// <param name="Rate">The chance that it is wrong on a case of a shape, at a minute of the simulation.</param>
/// <param name="Mean">The same over all traffic and time: what a promotion claims to be below of.</param>
internal sealed record Scenario(string Name, Func<int, long, double> Rate, double Mean)
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        Everywhere("good", 0), Everywhere("bug of 1 %", 1e-2), Everywhere("bug of 0.1 %", 1e-3), Everywhere("bug of 0.01 %", 1e-4),
        new("rare shape (0.03 %) always wrong", static (shape, _) => shape == Traffic.RareShape ? 1 : 0, Traffic.Share(Traffic.RareShape)),
        new("bursts: 1 % in 5 minutes of 60", static (_, minute) => minute % 60 < 5 ? 1e-2 : 0, 1e-2 * 5 / 60),
    ];

    private static Scenario Everywhere(string name, double rate) => new(name, (_, _) => rate, rate);
}

/// <summary>An operation of 20 requests a second in twelve shapes, of which the last is rare.</summary>
internal static class Traffic
{
    public const double PerSecond = 20;
    public const int RareShape = 11;
    private const double RareShare = 3e-4;

    /// <summary>How many of the requests bring a case that was not seen before.</summary>
    private const double NewCases = 0.3;

    private static readonly double[] Shares = [.. Zipf(RareShape, 1 - RareShare), RareShare];

    public static int Shapes => Shares.Length;

    public static double Share(int shape) => Shares[shape];

    public static double NewShare(int shape) => shape == RareShape ? 1 : NewCases;

    public static IEnumerable<double> Zipf(int count, double sum)
    {
        var whole = Enumerable.Range(1, count).Sum(rank => 1.0 / rank);
        return Enumerable.Range(1, count).Select(rank => sum / rank / whole);
    }
}

/// <summary>What happened to a shape between two looks.</summary>
/// <param name="Cases">New ones.</param>
/// <param name="WrongCases">Of those.</param>
/// <param name="WrongRequests">Of all requests, new or repeated.</param>
internal readonly record struct Seen(long Requests, long Cases, long WrongCases, long WrongRequests);

/// <summary>A run of a rule on a scenario.</summary>
/// <param name="IsComplete">It came to the last stage.</param>
/// <param name="IsFalse">It entered a stage whose claim about the rate was not true.</param>
/// <param name="WrongServed">Wrong answers that users got.</param>
internal sealed record Outcome(bool IsComplete, bool IsFalse, double WrongServed, TimeSpan Took);

/// <summary>Something that promotes a candidate step by step. A new one for each run.</summary>
internal abstract class Rule(Scenario scenario)
{
    public static readonly TimeSpan Look = TimeSpan.FromMinutes(20);

    public Stage Stage { get; protected set; } = Stage.Shadow;

    /// <summary>Whether it has given the candidate up.</summary>
    public bool HasStopped { get; protected set; }

    public bool IsFalse { get; private set; }

    public double WrongServed { get; protected set; }

    /// <summary>Takes what was seen since it looked last, and decides.</summary>
    public abstract void Step(Seen[] seen, Random random);

    protected void Enter(Stage stage, double claim)
    {
        IsFalse |= scenario.Mean >= claim && claim > 0;
        Stage = stage;
    }
}
