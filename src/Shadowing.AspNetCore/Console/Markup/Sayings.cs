namespace Shadowing.AspNetCore.Console.Markup;

/// <summary>
/// What a page says after a form was sent. An address carries the word only, so that no link can put a sentence of its own into the page.
/// </summary>
internal static class Sayings
{
    public const string Changed = "changed";
    public const string RolledBack = "rolled-back";
    public const string RolledBackHere = "rolled-back-here";
    public const string Accepted = "accepted";
    public const string Triaged = "triaged";
    public const string Untriaged = "untriaged";
    public const string Revoked = "revoked";
    public const string SweepStarted = "sweep-started";
    public const string SweepStopped = "sweep-stopped";

    public static string? Words(string? said) => said switch
    {
        Changed => "Changed. The replicas below take it over within a second.",
        RolledBack => "Rolled back, and held until it is acknowledged. The replicas say when they have applied it.",
        RolledBackHere => "Rolled back on this replica. The store cannot be told yet: the other replicas stop when their lease ends, "
            + "within three seconds.",
        Accepted => "Accepted as intended until its time is over.",
        Triaged => "Triaged: it counts, and does not hold the gate until its time is over.",
        Untriaged => "It holds the gate again.",
        Revoked => "Revoked: it counts as a mismatch again.",
        SweepStarted => "Ordered. A replica of this build takes the sweep.",
        SweepStopped => "Stopped. What it has compared stays.",
        _ => null,
    };
}
