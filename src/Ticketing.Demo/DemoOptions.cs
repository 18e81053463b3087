using Ticketing.Demo.Faults;

namespace Ticketing.Demo;

/// <summary>What the command line asked for.</summary>
/// <param name="Port">0 takes a free one.</param>
/// <param name="For">How long traffic is driven; null until stopped.</param>
/// <param name="Report">The file for the final status; null for none.</param>
/// <param name="Access">The file for address and tokens; null for none.</param>
/// <param name="Replicas">How many services share the database and the traffic.</param>
/// <param name="Policy">By which policy the gate decides.</param>
/// <param name="FirstStage">Where every operation begins.</param>
/// <param name="FaultAfter">When faults begin to act, counted from the first request.</param>
internal sealed record DemoOptions(
    int Port, int Tickets, double Rate, TimeSpan? For, IReadOnlyList<FaultChoice> Faults, FileInfo? Report, FileInfo? Access,
    int Replicas = 1, string Policy = "default", string FirstStage = "shadow-100", TimeSpan FaultAfter = default);
