using CsCheck;
using Shadowing.Evidence;

namespace Shadowing.Tests.Evidence;

public sealed class ParityBoundTests
{
    private static readonly Gen<(long K, long N, double Alpha)> Looks = Gen.Select(
        Gen.Long[0, 60], Gen.Long[0, 200_000], Gen.Double[-6, -0.5], (k, n, power) => (Math.Min(k, n), n, Math.Pow(10, power)));

    [Theory]
    [InlineData(0, 3937, 1e-3, 3.689312829)]
    [InlineData(1, 7857, 1e-3, 3.689214749)]
    [InlineData(2, 5000, 1e-3, -0.2878578569)]
    [InlineData(10, 1000, 1e-3, -8.737433843)]
    [InlineData(0, 0, 1e-3, 0)]
    public void Evidence_against_a_high_rate_is_as_computed_elsewhere(long k, long n, double rate, double expected) =>
        Close(expected, ParityBound.LogEPlus(k, n, rate));

    [Theory]
    [InlineData(3, 20, 1e-5, 18.46275318)]
    [InlineData(3, 2000, 1e-5, 10.51501979)]
    [InlineData(0, 10_000, 1e-4, -3.173703385)]
    [InlineData(2, 50, 0.01, -0.2106148142)]
    [InlineData(0, 0, 1e-5, 0)]
    public void Evidence_against_a_low_rate_is_as_computed_elsewhere(long k, long n, double rate, double expected) =>
        Close(expected, ParityBound.LogEMinus(k, n, rate));

    [Theory]
    [InlineData(0, 1, 0.05, 0.9546239598)]
    [InlineData(0, 1000, 0.05, 0.00320855341)]
    [InlineData(0, 39_384, 0.025, 9.99994707e-5)]
    [InlineData(0, 10_000_000, 0.05, 3.213901645e-7)]
    [InlineData(3, 20_000, 0.025, 0.0006257885008)]
    [InlineData(12, 5000, 0.05, 0.005364637435)]
    [InlineData(5, 5, 0.05, 1)]
    [InlineData(0, 0, 0.05, 1)]
    public void The_largest_rate_that_fits_is_as_computed_elsewhere(long k, long n, double alpha, double expected) =>
        Close(expected, ParityBound.Upper(k, n, alpha));

    [Theory]
    [InlineData(3, 200, 0.01, 0.0007514417041)]
    [InlineData(0, 100, 0.05, 0)]
    [InlineData(50, 2000, 0.05, 0.01472313519)]
    [InlineData(1, 100, 0.001, 0)]
    public void The_least_rate_that_fits_is_as_computed_elsewhere(long k, long n, double alpha, double expected) =>
        Close(expected, ParityBound.Lower(k, n, alpha));

    [Theory]
    [InlineData(0, 1e-3, 0.05, 3213)]
    [InlineData(1, 1e-3, 0.025, 7857)]
    [InlineData(0, 1e-4, 0.05 / 6, 50_788)]
    [InlineData(0, 1e-2, 0.025, 392)]
    [InlineData(0, 1e-3, 0.025, 3937)]
    [InlineData(0, 1e-4, 0.025, 39_384)]
    [InlineData(0, 1e-5, 0.025, 393_857)]
    public void The_cases_that_a_proof_needs_are_as_computed_elsewhere(long k, double epsilon, double alpha, long expected)
    {
        Assert.Equal(expected, ParityBound.CasesNeeded(k, epsilon, alpha));
        Assert.True(ParityBound.IsProven(k, expected, epsilon, alpha));
        Assert.False(ParityBound.IsProven(k, expected - 1, epsilon, alpha));
    }

    [Theory]
    [InlineData(0, 3.94)]
    [InlineData(1, 7.86)]
    [InlineData(2, 10.3)]
    public void Each_mismatch_asks_for_more_clean_cases_by_the_rule_of_thumb(long k, double factor) =>
        Assert.Equal(factor, ParityBound.CasesNeeded(k, 1e-4, ParityBound.AlphaOf(1)) * 1e-4, 0.05);

    [Fact]
    public void All_attempts_together_spend_alpha_and_no_more()
    {
        var spent = Enumerable.Range(1, 1_000_000).Sum(attempt => ParityBound.AlphaOf(attempt));
        Assert.InRange(spent, 0.0499, 0.05);
        Assert.Equal(0.025, ParityBound.AlphaOf(1));
        Assert.Equal(0.05 / 6, ParityBound.AlphaOf(2));
    }

    [Fact]
    public void The_bound_falls_with_every_clean_case() => Looks.Sample(look =>
        ParityBound.Upper(look.K, look.N + 1, look.Alpha) <= ParityBound.Upper(look.K, look.N, look.Alpha) * (1 + 1e-12));

    [Fact]
    public void The_bound_rises_with_every_mismatch() => Looks.Where(look => look.K < look.N).Sample(look =>
        ParityBound.Upper(look.K + 1, look.N, look.Alpha) > ParityBound.Upper(look.K, look.N, look.Alpha));

    [Fact]
    public void A_case_that_mismatches_never_lowers_the_bound() => Looks.Sample(look =>
        ParityBound.Upper(look.K + 1, look.N + 1, look.Alpha) >= ParityBound.Upper(look.K, look.N, look.Alpha) * (1 - 1e-12));

    [Fact]
    public void Being_surer_takes_a_wider_bound() => Looks.Where(look => look.K < look.N).Sample(look =>
        ParityBound.Upper(look.K, look.N, look.Alpha / 2) > ParityBound.Upper(look.K, look.N, look.Alpha));

    [Fact]
    public void The_bounds_enclose_the_rate_that_was_seen() => Looks.Where(look => look.N > 0).Sample(look =>
    {
        var seen = (double)look.K / look.N;
        Assert.InRange(seen, ParityBound.Lower(look.K, look.N, look.Alpha), ParityBound.Upper(look.K, look.N, look.Alpha));
    });

    [Fact]
    public void Nothing_but_mismatches_bounds_nothing() => Gen.Select(Gen.Long[0, 50], Gen.Long[0, 50]).Sample((n, more) =>
        ParityBound.Upper(n + more, n, 0.05) == 1 && !ParityBound.IsProven(n + more, n, 0.5, 0.05));

    [Fact]
    public void A_proof_is_a_bound_below_epsilon() => Gen.Select(Looks, Gen.Double[-5, -0.5]).Sample((look, power) =>
    {
        var (epsilon, bound) = (Math.Pow(10, power), ParityBound.Upper(look.K, look.N, look.Alpha));
        var proven = ParityBound.IsProven(look.K, look.N, epsilon, look.Alpha);
        if (Math.Abs((bound / epsilon) - 1) > 1e-9) Assert.Equal(bound < epsilon, proven);
    });

    [Fact]
    public void No_count_and_no_rate_yields_something_that_is_no_number() => Gen.Select(
        Gen.Long[0, 1L << 40], Gen.Long[0, 1L << 40], Gen.Double[-15, -1e-9]).Sample((k, n, power) =>
        {
            var rate = Math.Pow(10, power);
            Assert.False(double.IsNaN(ParityBound.LogEPlus(k, n, rate)));
            Assert.False(double.IsNaN(ParityBound.LogEMinus(k, n, rate)));
            Assert.InRange(ParityBound.Upper(k, n, 0.05), 0, 1);
            Assert.InRange(ParityBound.Lower(k, n, 0.05), 0, 1);
            Assert.InRange(ParityBound.Lower(k % 4, n, rate), 0, 1);
        });

    private static void Close(double expected, double actual) => Assert.Equal(expected, actual, Math.Abs(expected) * 1e-6);
}
