using Shadowing.AspNetCore.Problems;
using Shadowing.Evidence;
using Shadowing.Postgres.Stores;
using Shadowing.Sweeping;

namespace Shadowing.AspNetCore.Endpoints;

/// <summary>Orders sweeps, for the API and for the console.</summary>
internal static class SweepOrders
{
    /// <returns>The id of the sweep.</returns>
    /// <exception cref="RefusedException">It is not to be had, or one is running.</exception>
    public static async Task<long> StartAsync(
        OrderSweep order, string actor, SweepStore store, IReadOnlyList<Sweep> sweeps, EvidenceLedger ledger,
        CancellationToken cancellationToken)
    {
        var (operation, reason, rate, shape) = order.Checked();
        var named = OperationNames.Full(sweeps.Select(one => one.Experiment.Operation), operation);
        if (sweeps.FirstOrDefault(one => one.Experiment.Operation == named) is not { } sweep)
            throw new RefusedException(Refusal.OperationNotFound);

        // Until the setup has been checked, the build's fingerprint is unknown, and no replica would run the sweep.
        if (!ledger.Fingerprint.All(char.IsAsciiHexDigitLower)) throw new RefusedException(Refusal.EvidenceUnavailable);
        return await store.StartAsync(
            new(sweep.Experiment.Operation, ledger.Fingerprint, shape, rate, sweep.IsExhaustive, actor, reason), cancellationToken)
            ?? throw new RefusedException(Refusal.SweepRunning);
    }
}
