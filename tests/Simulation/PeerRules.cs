using Shadowing.Evidence;
using Shadowing.Model;

namespace Simulation;

/// <summary>How others promote: by steps of exposure, on the same comparisons, none of which take a shape or a single mismatch for a reason.</summary>
internal abstract class PeerRule(Scenario scenario) : Rule(scenario)
{
    private (long Compared, long Wrong, int Looks) _step;

    public override void Step(Seen[] seen, Random random)
    {
        var (compared, wrong) = (seen.Sum(shape => shape.Requests), seen.Sum(shape => shape.WrongRequests));
        WrongServed += Draw.Part(wrong, Stage.ServePercent / 100, random);
        _step = (_step.Compared + compared, _step.Wrong + wrong, _step.Looks + 1);
        var next = Stage.Next!;
        switch (Judge(compared, wrong, _step, next))
        {
            case true:
                Enter(next, GatePolicy.Default.EpsilonToEnter(next) ?? 0);
                _step = default;
                break;
            case false:
                HasStopped = true;
                break;
        }
    }

    /// <returns>True for the next step, false for giving up, null for waiting.</returns>
    protected abstract bool? Judge(long compared, long wrong, (long Compared, long Wrong, int Looks) step, Stage next);
}

/// <summary>k of n may mismatch, looked at once, after a fixed number.</summary>
internal sealed class FixedRatioRule(Scenario scenario) : PeerRule(scenario)
{
    private const long Enough = 50_000;

    protected override bool? Judge(long compared, long wrong, (long Compared, long Wrong, int Looks) step, Stage next) =>
        step.Compared < Enough ? null : step.Wrong <= step.Compared * GatePolicy.Default.EpsilonToEnter(next);
}

/// <summary>The upper end of Wilson's 95 % interval, looked at continually.</summary>
internal sealed class WilsonRule(Scenario scenario) : PeerRule(scenario)
{
    private const double Z = 1.959963984540054;
    private static readonly int MostLooks = (int)(TimeSpan.FromDays(7) / Look);

    protected override bool? Judge(long compared, long wrong, (long Compared, long Wrong, int Looks) step, Stage next) =>
        Upper(step.Wrong, step.Compared) <= GatePolicy.Default.EpsilonToEnter(next) ? true : step.Looks > MostLooks ? false : null;

    private static double Upper(long wrong, long compared)
    {
        var (n, p) = (Math.Max(1.0, compared), wrong / Math.Max(1.0, compared));
        return (p + (Z * Z / (2 * n)) + (Z * Math.Sqrt((p * (1 - p) / n) + (Z * Z / (4 * n * n))))) / (1 + (Z * Z / n));
    }
}

/// <summary>Checks of a success rate of 99 %; five that fail roll back, six that pass are a step.</summary>
internal sealed class FlaggerLikeRule(Scenario scenario) : PeerRule(scenario)
{
    private int _failed;

    protected override bool? Judge(long compared, long wrong, (long Compared, long Wrong, int Looks) step, Stage next)
    {
        if (wrong > compared * 0.01) _failed++;
        return _failed >= 5 ? false : step.Looks >= 6 ? true : null;
    }
}

/// <summary>Five measurements a step of a failure rate of 0.1 %, of which two may fail.</summary>
internal sealed class ArgoLikeRule(Scenario scenario) : PeerRule(scenario)
{
    private int _failed;

    protected override bool? Judge(long compared, long wrong, (long Compared, long Wrong, int Looks) step, Stage next)
    {
        if (step.Looks == 1) _failed = 0;
        if (wrong > compared * 0.001) _failed++;
        return _failed > 2 ? false : step.Looks >= 5 ? true : null;
    }
}

/// <summary>Counts drawn by chance.</summary>
internal static class Draw
{
    /// <summary>How many of some, each with a chance. Exact where few, else by the normal law.</summary>
    public static long Part(long of, double chance, Random random)
    {
        if (of <= 0 || chance <= 0) return 0;
        if (chance >= 1) return of;
        if (of > 64) return of * chance < 20 ? Math.Min(of, Poisson(of * chance, random)) : Normal(of * chance, of * chance * (1 - chance), of, random);
        var part = 0L;
        for (var i = 0; i < of; i++) part += random.NextDouble() < chance ? 1 : 0;
        return part;
    }

    public static long Poisson(double mean, Random random)
    {
        if (mean > 50) return Normal(mean, mean, long.MaxValue, random);
        var (limit, product, count) = (Math.Exp(-mean), random.NextDouble(), 0L);
        for (; product > limit; count++) product *= random.NextDouble();
        return count;
    }

    private static long Normal(double mean, double variance, long most, Random random)
    {
        var (u, v) = (1 - random.NextDouble(), random.NextDouble());
        var drawn = mean + (Math.Sqrt(variance) * Math.Sqrt(-2 * Math.Log(u)) * Math.Cos(2 * Math.PI * v));
        return Math.Clamp((long)Math.Round(drawn), 0, most);
    }
}
