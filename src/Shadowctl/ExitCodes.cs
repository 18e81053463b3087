namespace Shadowctl;

/// <summary>What scripts branch on. Those above 63 are of sysexits.h.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;
    public const int Advance = 0;

    /// <summary>
    /// The gate holds, or what was asked is not so (yet): a step that is not earned, a change that came in between, a rollback that a
    /// replica has not applied.
    /// </summary>
    public const int Hold = 2;
    public const int Rollback = 3;
    public const int NoEvidence = 4;

    /// <summary>A wrong command line, or something that the service does not know.</summary>
    public const int Usage = 64;

    /// <summary>The service cannot be reached, or cannot answer at present.</summary>
    public const int Unreachable = 69;

    /// <summary>The service refuses the token, or what its role may not do.</summary>
    public const int Denied = 77;

    /// <summary>Ctrl-C ended it, as shells count it.</summary>
    public const int Interrupted = 130;

    /// <summary>The decision's; or that there is none, because the service cannot read its store.</summary>
    public static int OfGate(System.Text.Json.Nodes.JsonNode gate) =>
        Tables.Items(gate["reasons"]).Any(reason => (string?)reason["code"] == "evidence_unreadable") ? Unreachable
            : OfDecision((string?)gate["decision"]);

    public static int OfDecision(string? decision) => decision switch
    {
        "advance" => Advance,
        "hold" => Hold,
        "rollback" => Rollback,
        _ => NoEvidence,
    };
}
