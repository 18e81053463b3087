using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Shadowing.Model;

namespace Shadowing.Settings;

/// <summary>The section <c>Shadowing</c> of the configuration.</summary>
/// <remarks>
/// A changed value is in force once the configuration has been reloaded, but for settings marked <see cref="BuiltOnceAttribute"/>: those
/// need a restart. <see cref="SettingsInForce"/> is the one place to read them from.
/// </remarks>
public sealed class ShadowingOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Shadowing";

    /// <summary>Whether anything runs in the shadow at all. Off leaves the control alone with its users.</summary>
    /// <value>The default is true.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>A file whose mere existence switches shadowing off within a second, on every replica that mounts it.</summary>
    /// <value>A path; the default is none.</value>
    public string? KillFile { get; set; }

    /// <summary>This replica's name in the status.</summary>
    /// <value>The default is the machine's name.</value>
    [Required(AllowEmptyStrings = false), StringLength(100)]
    public string Replica { get; set; } = Environment.MachineName;

    /// <summary>
    /// Rows that are read before and after a write to compare it: those it concerns, and those they refer to. A write that concerns more,
    /// or rows of more than 4,000 characters on average, is incomparable.
    /// </summary>
    /// <value>Between 10 and 10,000. The default is 500.</value>
    [Range(10, 10_000)]
    [BuiltOnce]
    public int MaxImageRows { get; set; } = 500;

    /// <summary>The share of eligible requests that are compared, for operations that name none of their own.</summary>
    /// <value>Percent, 0 to 100. The default is 100.</value>
    [Range(0d, 100d)]
    public double SamplePercent { get; set; } = 100;

    /// <summary>
    /// The share of a shape's requests that goes on being compared once nothing more is to be proven by it; until then all are, within
    /// <see cref="SamplePercent"/> and the stage.
    /// </summary>
    /// <value>Percent, 0 to 100. The default is 5.</value>
    [Range(0d, 100d)]
    public double TricklePercent { get; set; } = 5;

    /// <summary>The same while the candidate serves: what finds the first wrong answer that users get.</summary>
    /// <value>Percent, 1 to 100. The default is 20.</value>
    [Range(1d, 100d)]
    public double ServingFloorPercent { get; set; } = 20;

    /// <summary>
    /// Seconds of the database's time that the shadow may use in a second, on this replica, over any ten seconds. A fifth is kept for
    /// shapes that are not proven and for answers that the candidate gave.
    /// </summary>
    /// <value>0.001 to 16. The default is 0.5: half of one connection.</value>
    [Range(0.001, 16d)]
    public double DatabaseTimeBudget { get; set; } = 0.5;

    /// <summary>How old a snapshot may get that a sweep works on; it holds back the database's cleaning up.</summary>
    /// <value>100 milliseconds to 5 minutes. The default is 10 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")]
    public TimeSpan MaxSnapshotAge { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Settings of single operations, by name.</summary>
    public Dictionary<string, OperationOptions> Operations { get; } = [];

    /// <summary>Requests that may wait for the lane, each with its answer once it has one; one more is shed.</summary>
    /// <value>1 to 65,536. The default is 256.</value>
    [Range(1, 65_536)]
    [BuiltOnce]
    public int QueueCapacity { get; set; } = 256;

    /// <summary>Memory that the rows of writes may take up while they wait for the lane; a write beyond it is shed.</summary>
    /// <value>Bytes, 1 MiB to 4 GiB. The default is 64 MiB: thousands of usual writes.</value>
    [Range(1L << 20, 1L << 32)]
    public long QueueBytes { get; set; } = 64L << 20;

    /// <summary>Shadow runs at a time. More make the shadow felt sooner than they make it faster.</summary>
    /// <value>1 to 16. The default is 1.</value>
    [Range(1, 16)]
    [BuiltOnce]
    public int Workers { get; set; } = 1;

    /// <summary>How often an idle lane looks for work. Polling costs the caller nothing; being woken would.</summary>
    /// <value>1 millisecond to 1 second. The default is 1 millisecond.</value>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:01")]
    [BuiltOnce]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// How long a shadow run waits, from its request's own answer on, for a moment without other served traffic before it is shed.
    /// </summary>
    /// <value>Zero to 10 seconds. The default is 50 milliseconds.</value>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan YieldAfter { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>An operation that has not been compared for this long is, busy or not: the floor under yielding.</summary>
    /// <value>1 millisecond to 1 minute. The default is 100 milliseconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan FloorInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a shadow run may take before it counts as timed out.</summary>
    /// <value>Between 10 milliseconds and 1 minute. The default is 2 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    [BuiltOnce]
    public TimeSpan ShadowTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a timed-out run may take to heed its cancellation before it is abandoned to end on its own.</summary>
    /// <value>Zero to 10 seconds. The default is 250 milliseconds.</value>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan CancelGrace { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Abandoned runs that may be going at once; while there are as many, nothing new starts.</summary>
    /// <value>1 to 16, and fewer than the shadow's connections. The default is 2.</value>
    [Range(1, 16)]
    [BuiltOnce]
    public int MaxAbandoned { get; set; } = 2;

    /// <summary>Differences that may be confirmed in a second; more are incomparable.</summary>
    /// <value>1 to 10,000. The default is 50.</value>
    [Range(1, 10_000)]
    public int ConfirmationsPerSecond { get; set; } = 50;

    /// <summary>How long a stopping service goes on with what waits in the lane before it counts the rest as shut down.</summary>
    /// <value>Zero to 1 minute. The default is 5 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How far answers are compared.</summary>
    /// <value>Objects and rows; 100 to 10 million. The default is 200,000.</value>
    [Range(100, 10_000_000)]
    [BuiltOnce]
    public int MaxNodes { get; set; } = 200_000;

    /// <summary>
    /// How long a candidate that serves may take, once it has its connection, before the control answers in its place: this, or one and a
    /// half times the control's p99 of the last five to ten minutes if that is longer.
    /// </summary>
    /// <value>10 milliseconds to 10 seconds. The default is 100 milliseconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10")]
    public TimeSpan CandidateDeadline { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Served runs of the candidate that may go on past their deadline at once; while there are more, the control answers everything.
    /// </summary>
    /// <value>1 to 100. The default is 8.</value>
    [Range(1, 100)]
    public int MaxLate { get; set; } = 8;

    /// <summary>The stage of an operation that the store knows nothing of yet.</summary>
    /// <value>One that serves no user: <c>off</c>, <c>shadow-1</c>, <c>shadow-10</c> or <c>shadow-100</c>, the default.</value>
    [Required]
    [BuiltOnce]
    public string FirstStage { get; set; } = Stage.Shadow.Name;

    /// <summary>Signatures of mismatches that are told apart; further ones are kept together, one group an operation.</summary>
    /// <value>10 to 10,000. The default is 500.</value>
    [Range(10, 10_000)]
    public int MaxSignatures { get; set; } = 500;

    /// <summary>
    /// How often, with traffic, each operation's control is held against itself and the detector against a planted difference.
    /// </summary>
    /// <value>100 milliseconds to 1 hour. The default is 10 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan SelfTestInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The share of compared requests that both sides run once more for, to be timed against each other.</summary>
    /// <value>Percent, 0 to 100. The default is 5; the latency test needs 4,200 pairs an operation before it says anything.</value>
    [Range(0d, 100d)]
    public double LatencyPairPercent { get; set; } = 5;

    /// <summary>The secret that values in samples are hashed with; replicas that share it give equal values equal hashes.</summary>
    /// <value>At least 16 characters. Unset, each process draws its own.</value>
    [JsonIgnore, MinLength(16, ErrorMessage = "It has fewer than 16 characters.")]
    [BuiltOnce]
    public string? RedactionKey { get; set; }

    /// <summary>Whether samples keep the values themselves, personal data included.</summary>
    [Required]
    public RawSamplesOptions RawSamples { get; set; } = new();

    /// <summary>When the shadow of an operation is given a rest.</summary>
    [Required]
    [BuiltOnce]
    public BreakerOptions Breaker { get; set; } = new();
}

/// <summary>Settings of one operation.</summary>
public sealed class OperationOptions
{
    /// <summary>Whether the operation is shadowed.</summary>
    /// <value>The default is true.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>The share of eligible requests that are compared.</summary>
    /// <value>Percent, 0 to 100; unset means <see cref="ShadowingOptions.SamplePercent"/>.</value>
    [Range(0d, 100d)]
    public double? SamplePercent { get; set; }
}

/// <summary>
/// Raw samples: locked by default, open for a day at most, in memory only, shown to operators only; opening and each look are audited.
/// </summary>
public sealed class RawSamplesOptions
{
    /// <summary>Until when values are kept and shown.</summary>
    /// <value>At most 24 hours ahead when it is set; a time that has passed keeps them locked. The default is never.</value>
    public DateTimeOffset? Until { get; set; }

    /// <summary>Who answers for it; needed with <see cref="Until"/>.</summary>
    public string? Owner { get; set; }

    /// <summary>Why it is needed; needed with <see cref="Until"/>.</summary>
    public string? Reason { get; set; }
}

/// <summary>The circuit breaker of each operation's shadow.</summary>
public sealed class BreakerOptions
{
    /// <summary>The share of failing shadow runs that opens it.</summary>
    /// <value>0.01 to 1. The default is 0.5.</value>
    [Range(0.01, 1d)]
    public double FailureRatio { get; set; } = 0.5;

    /// <summary>Runs within the window before it judges.</summary>
    /// <value>2 to 10,000. The default is 5, which a run that times out each time reaches within a window.</value>
    [Range(2, 10_000)]
    public int MinimumThroughput { get; set; } = 5;

    /// <summary>The window that the ratio is taken over.</summary>
    /// <value>500 milliseconds to 10 minutes. The default is 30 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.5", "00:10:00")]
    public TimeSpan Window { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long it stays open before one run may try.</summary>
    /// <value>500 milliseconds to 10 minutes. The default is 5 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.5", "00:10:00")]
    public TimeSpan Rest { get; set; } = TimeSpan.FromSeconds(5);
}
