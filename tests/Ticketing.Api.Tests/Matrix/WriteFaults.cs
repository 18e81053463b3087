namespace Ticketing.Api.Tests.Matrix;

/// <summary>Every write line of the divergence catalogue that the tables can express, and what else a write can do wrong.</summary>
internal static class WriteFaults
{
    public static IReadOnlyList<WriteFault> All { get; } =
    [
        .. WriteFaultsOfValues.All, .. WriteFaultsOfTime.All, .. WriteFaultsOfDefaults.All, .. WriteFaultsOfUpdates.All,
        .. WriteFaultsOfResolving.All, .. WriteFaultsOfFailures.All, .. WriteFaultsOfRows.All, .. WriteFaultsOfAccess.All,
    ];
}
