using Shadowing.Model;

namespace Shadowing.Tests.Writing;

/// <summary>When it is certain that a write that failed has changed nothing: only then may another side do it.</summary>
public sealed class NoEffectTests
{
    [Theory]
    [InlineData("", 0, true)]
    [InlineData("REFUSED", 1, true)]
    [InlineData("REFUSED REFUSED", 2, true)]
    [InlineData("", 1, false)]
    [InlineData("FAILED", 1, false)]
    [InlineData("SELECT", 1, false)]
    [InlineData("SELECT REFUSED", 2, false)]
    [InlineData("UNKNOWN REFUSED", 1, false)]
    [InlineData("UPDATE_0 REFUSED", 2, false)]
    public void Nothing_that_may_have_succeeded_is_done_again(string effects, int statements, bool hasNoEffect)
    {
        var ledger = StatementLedger.OpenForWrite();
        foreach (var effect in effects.Split(' ', StringSplitOptions.RemoveEmptyEntries)) ledger.Did(effect.Replace('_', ' '), []);
        ledger.Ended(statements, TimeProvider.System);
        Assert.Equal(hasNoEffect, ledger.HasNoEffect);
    }

    [Fact]
    public void Where_not_all_effects_are_kept_nothing_is_certain()
    {
        var ledger = StatementLedger.OpenForWrite();
        for (var n = 0; n < 1_000; n++) ledger.Did(StatementLedger.Refused, []);
        Assert.False(ledger.HasNoEffect);
        Assert.False(StatementLedger.Open().HasNoEffect);
    }
}
