using System.Reflection;

namespace Shadowing.AspNetCore.Problems;

/// <summary>
/// The <c>code</c> of every refusal of shadowing and of a strict body. Clients branch on them, so a code is never reused or renamed.
/// </summary>
public static class ProblemCodes
{
    /// <summary>The body is no JSON.</summary>
    public const string MalformedJson = "malformed_json";
    /// <summary>The body is JSON of another kind.</summary>
    public const string InvalidBody = "invalid_body";
    /// <summary>A member of the body is refused.</summary>
    public const string InvalidMember = "invalid_member";
    /// <summary>A parameter of the address is refused.</summary>
    public const string InvalidParameter = "invalid_parameter";
    /// <summary>No bearer token.</summary>
    public const string TokenMissing = "token_missing";
    /// <summary>A bearer token that is not known.</summary>
    public const string TokenInvalid = "token_invalid";
    /// <summary>The token may look only.</summary>
    public const string OperatorForbidden = "operator_forbidden";
    /// <summary>The body is not application/json.</summary>
    public const string UnsupportedMediaType = "unsupported_media_type";
    /// <summary>No such operation.</summary>
    public const string OperationNotFound = "operation_not_found";
    /// <summary>No replica runs this build, and it has left no evidence.</summary>
    public const string BuildNotFound = "build_not_found";
    /// <summary>No such mismatch.</summary>
    public const string SignatureNotFound = "signature_not_found";
    /// <summary>It cannot be accepted.</summary>
    public const string NotAcceptable = "not_acceptable";
    /// <summary>It is critical, and must be fixed.</summary>
    public const string NotTriable = "not_triable";
    /// <summary>Raw samples are not unlocked.</summary>
    public const string RawSamplesLocked = "raw_samples_locked";
    /// <summary>Changed since it was read.</summary>
    public const string GenerationStale = "generation_stale";
    /// <summary>Rolled back, and not acknowledged.</summary>
    public const string Held = "held";
    /// <summary>No fingerprint is nominated.</summary>
    public const string NotNominated = "not_nominated";
    /// <summary>The gate refuses the step.</summary>
    public const string NotEarned = "not_earned";
    /// <summary>No such sweep.</summary>
    public const string SweepNotFound = "sweep_not_found";
    /// <summary>One is running.</summary>
    public const string SweepRunning = "sweep_running";
    /// <summary>No such replay on this replica.</summary>
    public const string ReplayNotFound = "replay_not_found";
    /// <summary>One is running.</summary>
    public const string ReplayRunning = "replay_running";
    /// <summary>An address asks too often.</summary>
    public const string TooManyRequests = "too_many_requests";
    /// <summary>The store is away.</summary>
    public const string EvidenceUnavailable = "evidence_unavailable";

    /// <summary>All of them.</summary>
    public static IEnumerable<string> All { get; } =
        [.. typeof(ProblemCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => field.GetRawConstantValue())
            .OfType<string>()];
}
