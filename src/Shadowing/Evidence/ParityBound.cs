using MathNet.Numerics;

namespace Shadowing.Evidence;

/// <summary>
/// Bounds on the rate of mismatches, from k mismatching cases among n distinct ones; valid at every moment of a running test.
/// </summary>
/// <remarks>
/// Betting e-processes over a fixed grid of multipliers. By chance alone each ever grows beyond 1/α with a probability of at most α
/// (Ville's inequality). Only P(mismatch | past) is assumed to obey the hypothesis; cases need not be independent. Where collisions in a
/// bitmap leave fewer cases than mismatches, every case counts as a mismatch, which never helps a promotion.
/// </remarks>
public static class ParityBound
{
    /// <summary>Bets on a rate below p: c = 0 with half of the stake, c = 2^-1 to 2^-5 with a tenth each.</summary>
    private static readonly Bet[] Below = [new(0.5, 0), .. Enumerable.Range(1, 5).Select(power => new Bet(0.1, Math.ScaleB(1, -power)))];

    /// <summary>Bets on a rate above p: c = 2^1 to 2^10 with a tenth each.</summary>
    private static readonly Bet[] Above = [.. Enumerable.Range(1, 10).Select(power => new Bet(0.1, Math.ScaleB(1, power)))];

    /// <summary>The log of the evidence against "the rate is <paramref name="rate"/> or more"; above ln(1/α) that is rejected.</summary>
    /// <param name="rate">In (0, 1).</param>
    public static double LogEPlus(long mismatches, long cases, double rate) => LogE(Below, mismatches, cases, rate);

    /// <summary>The log of the evidence against "the rate is <paramref name="rate"/> or less"; above ln(1/α) that is rejected.</summary>
    /// <param name="rate">In (0, 1).</param>
    public static double LogEMinus(long mismatches, long cases, double rate) => LogE(Above, mismatches, cases, rate);

    /// <summary>The largest mismatch rate that is compatible with the evidence; valid at every moment of a running test.</summary>
    /// <param name="alpha">The chance of ever being wrong, in (0, 1).</param>
    /// <returns>A rate in (0, 1]; 1 where there is no evidence or nothing has matched.</returns>
    public static double Upper(long mismatches, long cases, double alpha)
    {
        var threshold = LogThreshold(alpha);
        return mismatches >= cases ? 1 : Cross(rate => LogEPlus(mismatches, cases, rate) >= threshold).High;
    }

    /// <summary>The smallest mismatch rate that is compatible with the evidence; valid at every moment of a running test.</summary>
    /// <param name="alpha">The chance of ever being wrong, in (0, 1).</param>
    /// <returns>A rate in [0, 1); 0 where nothing has mismatched, or there is too little evidence.</returns>
    public static double Lower(long mismatches, long cases, double alpha)
    {
        var threshold = LogThreshold(alpha);
        return mismatches <= 0 ? 0 : Cross(rate => LogEMinus(mismatches, cases, rate) < threshold).Low;
    }

    /// <summary>Whether the rate of mismatches is proven to be below <paramref name="epsilon"/>.</summary>
    /// <param name="alpha">The chance of ever giving a false proof in this attempt: see <see cref="AlphaOf"/>.</param>
    public static bool IsProven(long mismatches, long cases, double epsilon, double alpha) =>
        LogEPlus(mismatches, cases, epsilon) >= LogThreshold(alpha);

    /// <summary>The share of <paramref name="alpha"/> that an attempt may spend: α/(j(j+1)), whose sum over all attempts is α.</summary>
    /// <param name="attempt">1 for the first fingerprint that is nominated, and so on.</param>
    public static double AlphaOf(int attempt, double alpha = 0.05)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(attempt, 1);
        return alpha / (attempt * (attempt + 1.0));
    }

    /// <summary>How many distinct cases prove a rate below <paramref name="epsilon"/>, with this many mismatches among them.</summary>
    /// <returns>At most 2^62, which means never.</returns>
    public static long CasesNeeded(long mismatches, double epsilon, double alpha)
    {
        const long Never = 1L << 62;
        var (low, high) = (mismatches, Math.Max(1, mismatches + 1));
        while (high < Never && !IsProven(mismatches, high, epsilon, alpha)) (low, high) = (high, high < Never / 2 ? high * 2 : Never);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (IsProven(mismatches, middle, epsilon, alpha)) high = middle;
            else low = middle;
        }

        return high;
    }

    /// <summary>ln(1/α): the threshold for the log of the evidence.</summary>
    public static double LogThreshold(double alpha) => alpha is > 0 and < 1
        ? -Math.Log(alpha)
        : throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "A chance in (0, 1) is needed.");

    private static double LogE(Bet[] bets, long mismatches, long cases, double rate)
    {
        if (rate is not (> 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(rate), rate, "A rate in (0, 1) is needed.");
        ArgumentOutOfRangeException.ThrowIfNegative(mismatches);
        var matches = Math.Max(0, cases - mismatches);
        if (mismatches + matches == 0) return 0;
        Span<double> terms = stackalloc double[bets.Length];
        var fair = SpecialFunctions.Log1p(-rate);
        for (var i = 0; i < bets.Length; i++) terms[i] = bets[i].LogWealth(mismatches, matches, rate, fair);
        return LogSumExp(terms);
    }

    private static double LogSumExp(ReadOnlySpan<double> terms)
    {
        var most = double.NegativeInfinity;
        foreach (var term in terms) most = Math.Max(most, term);
        if (double.IsInfinity(most)) return most;
        var sum = 0.0;
        foreach (var term in terms) sum += Math.Exp(term - most);
        return most + Math.Log(sum);
    }

    /// <summary>Encloses the rate at which <paramref name="beyond"/> turns from false to true. It must turn only once.</summary>
    private static (double Low, double High) Cross(Func<double, bool> beyond)
    {
        const double Least = 1e-300;
        var (low, high) = (0.0, 1.0);
        while (high - low > 1e-13 * high && high > Least)
        {
            var middle = (low + high) / 2;
            if (beyond(middle)) high = middle;
            else low = middle;
        }

        return (low, high);
    }

    /// <summary>A stake on the rate being c times the claimed one.</summary>
    private readonly struct Bet(double weight, double multiplier)
    {
        private readonly double _logWeight = Math.Log(weight);
        private readonly double _logMultiplier = Math.Log(multiplier);

        public double LogWealth(long mismatches, long matches, double rate, double fair)
        {
            if (multiplier * rate >= 1) return double.NegativeInfinity;
            var lost = mismatches == 0 ? 0 : mismatches * _logMultiplier;
            return _logWeight + lost + (matches == 0 ? 0 : matches * (SpecialFunctions.Log1p(-multiplier * rate) - fair));
        }
    }
}
