using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Shadowing.Model;

namespace Shadowing.Settings;

/// <summary>The section <c>Shadowing</c> of the configuration.</summary>
/// <remarks>
/// A changed value is in force once the configuration has been reloaded. Settings marked <see cref="BuiltOnceAttribute"/> need a restart.
/// Read settings only through <see cref="SettingsInForce"/>.
/// </remarks>
public sealed class ShadowingOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Shadowing";

    /// <summary>Whether anything runs in the shadow at all. If not, only the control runs.</summary>
    /// <value>The default is true.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>If this file exists, shadowing is off within a second, on every replica that mounts it.</summary>
    /// <value>A path; the default is none.</value>
    public string? KillFile { get; set; }

    /// <summary>This replica's name in the status.</summary>
    /// <value>The default is the machine's name.</value>
    [Required(AllowEmptyStrings = false), StringLength(100)]
    public string Replica { get; set; } = Environment.MachineName;

    /// <summary>
    /// Rows that are read before and after a write to compare it: those it concerns, and those they refer to. A write that concerns more
    /// rows, or rows of more than 4,000 characters on average, is incomparable.
    /// </summary>
    /// <value>Between 10 and 10,000. The default is 500.</value>
    [Range(10, 10_000)]
    [BuiltOnce]
    public int MaxImageRows { get; set; } = 500;

    /// <summary>
    /// How long a user's write that is to be compared waits at most for the snapshot from before it, which takes one round trip. One that
    /// comes later may show the write itself, which is then not compared. Of writes that both sides do in transactions of their own.
    /// </summary>
    /// <value>Zero to 1 second. The default is 2 milliseconds.</value>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:01")]
    public TimeSpan SnapshotWait { get; set; } = TimeSpan.FromMilliseconds(2);

    /// <summary>The share of eligible requests that are compared, for operations without a share of their own.</summary>
    /// <value>Percent, 0 to 100. The default is 100.</value>
    [Range(0d, 100d)]
    public double SamplePercent { get; set; } = 100;

    /// <summary>
    /// The share of a shape's requests that is still compared once they can prove nothing more. Until then all of them are, within
    /// <see cref="SamplePercent"/> and the stage.
    /// </summary>
    /// <value>Percent, 0 to 100. The default is 5.</value>
    [Range(0d, 100d)]
    public double TricklePercent { get; set; } = 5;

    /// <summary>The same share while the candidate serves, to find the first wrong answer that a user gets.</summary>
    /// <value>Percent, 1 to 100. The default is 20.</value>
    [Range(1d, 100d)]
    public double ServingFloorPercent { get; set; } = 20;

    /// <summary>
    /// Seconds of the database's time that the shadow may use in each second, on this replica, over any ten seconds. A fifth is reserved
    /// for shapes that are not proven and for answers that the candidate gave.
    /// </summary>
    /// <value>0.001 to 16. The default is 0.5: half of one connection.</value>
    [Range(0.001, 16d)]
    public double DatabaseTimeBudget { get; set; } = 0.5;

    /// <summary>How old a sweep's snapshot may become. An open snapshot keeps the database from removing dead rows.</summary>
    /// <value>100 milliseconds to 5 minutes. The default is 10 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")]
    public TimeSpan MaxSnapshotAge { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Settings of single operations, by name.</summary>
    public Dictionary<string, OperationOptions> Operations { get; } = [];

    /// <summary>How many requests may wait for the lane, each with its answer once it has one; a request beyond that is shed.</summary>
    /// <value>1 to 65,536. The default is 256.</value>
    [Range(1, 65_536)]
    [BuiltOnce]
    public int QueueCapacity { get; set; } = 256;

    /// <summary>How much memory the rows of writes may take up while they wait for the lane; a write beyond that is shed.</summary>
    /// <value>Bytes, 1 MiB to 4 GiB. The default is 64 MiB: thousands of usual writes.</value>
    [Range(1L << 20, 1L << 32)]
    public long QueueBytes { get; set; } = 64L << 20;

    /// <summary>How many shadow runs may run at a time. More slow down served traffic sooner than they speed up the shadow.</summary>
    /// <value>1 to 16. The default is 1.</value>
    [Range(1, 16)]
    [BuiltOnce]
    public int Workers { get; set; } = 1;

    /// <summary>How often an idle lane looks for work. Polling costs the caller nothing; waking the lane would.</summary>
    /// <value>1 millisecond to 1 second. The default is 1 millisecond.</value>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:01")]
    [BuiltOnce]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// How long a shadow run waits for a moment without other served traffic, counted from its request's answer, before it is shed.
    /// </summary>
    /// <value>Zero to 10 seconds. The default is 50 milliseconds.</value>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan YieldAfter { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>An operation that has not been compared for this long is compared, even while other traffic is served.</summary>
    /// <value>1 millisecond to 1 minute. The default is 100 milliseconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan FloorInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a shadow run may take before it counts as timed out.</summary>
    /// <value>Between 10 milliseconds and 1 minute. The default is 2 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    [BuiltOnce]
    public TimeSpan ShadowTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a timed-out run may take to react to its cancellation before it is abandoned.</summary>
    /// <value>Zero to 10 seconds. The default is 250 milliseconds.</value>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan CancelGrace { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// How many abandoned runs may still be running; at this number, no new run starts. An operation that has half of them, and one at
    /// least, starts no new run.
    /// </summary>
    /// <value>1 to 16, and fewer than the shadow's connections. The default is 2.</value>
    [Range(1, 16)]
    [BuiltOnce]
    public int MaxAbandoned { get; set; } = 2;

    /// <summary>How many differences may be confirmed in a second; those beyond that are incomparable.</summary>
    /// <value>1 to 10,000. The default is 50.</value>
    [Range(1, 10_000)]
    public int ConfirmationsPerSecond { get; set; } = 50;

    /// <summary>How long a stopping service goes on with the requests in the lane before it counts the rest as shut down.</summary>
    /// <value>Zero to 1 minute. The default is 5 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How much of two answers is compared; answers with more are incomparable.</summary>
    /// <value>Objects and rows; 100 to 10 million. The default is 200,000.</value>
    [Range(100, 10_000_000)]
    [BuiltOnce]
    public int MaxNodes { get; set; } = 200_000;

    /// <summary>
    /// How long a candidate that serves may take, once it has its connection, before the control answers instead: this, or 1.5 times the
    /// control's p99 of the last five to ten minutes if that is longer.
    /// </summary>
    /// <value>10 milliseconds to 10 seconds. The default is 100 milliseconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10")]
    public TimeSpan CandidateDeadline { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How many served runs of the candidate may still run after their deadline; while there are more, the control answers everything.
    /// </summary>
    /// <value>1 to 100. The default is 8.</value>
    [Range(1, 100)]
    public int MaxLate { get; set; } = 8;

    /// <summary>The stage of an operation that the store has no row for yet.</summary>
    /// <value>One that serves no user: <c>off</c>, <c>shadow-1</c>, <c>shadow-10</c> or <c>shadow-100</c>, the default.</value>
    [Required]
    [BuiltOnce]
    public string FirstStage { get; set; } = Stage.Shadow.Name;

    /// <summary>How many signatures of mismatches are kept apart; further ones share one group for each operation.</summary>
    /// <value>10 to 10,000. The default is 500.</value>
    [Range(10, 10_000)]
    public int MaxSignatures { get; set; } = 500;

    /// <summary>
    /// How often, with traffic, each operation's control is compared with itself and the detector is tested with a planted difference.
    /// </summary>
    /// <value>100 milliseconds to 1 hour. The default is 10 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan SelfTestInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The share of compared requests that both sides run once more, to compare their latency.</summary>
    /// <value>
    /// Percent, 0 to 100. The default is 5. An operation that would need more than a week for the 4,200 pairs of a result is given more.
    /// </value>
    [Range(0d, 100d)]
    public double LatencyPairPercent { get; set; } = 5;

    /// <summary>The time that 200 of these pairs take at least: they are one block of the test, and count as one event.</summary>
    /// <value>0 to 1 hour. The default is 2 minutes.</value>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan LatencyBlockTime { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// The share of compared reads after which the candidate is run several times at once, for this request and the one before it: a fault
    /// that only shows beside another run is not found by runs one after the other.
    /// </summary>
    /// <value>Percent, 0 to 100. The default is 2.</value>
    [Range(0d, 100d)]
    public double OverlapPercent { get; set; } = 2;

    /// <summary>The secret for hashing users in the served log; replicas that share it give a user the same hash.</summary>
    /// <value>At least 16 characters. Unset, each process generates its own.</value>
    [JsonIgnore, MinLength(16, ErrorMessage = "It has fewer than 16 characters.")]
    [BuiltOnce]
    public string? RedactionKey { get; set; }

    /// <summary>Whether samples keep the values themselves, including personal data.</summary>
    [Required]
    public RawSamplesOptions RawSamples { get; set; } = new();

    /// <summary>Whether samples keep the values themselves, encrypted to a public key.</summary>
    [Required]
    public SealedSamplesOptions SealedSamples { get; set; } = new();

    /// <summary>Whether requests are recorded to be replayed.</summary>
    [Required]
    public RecordingOptions Recording { get; set; } = new();

    /// <summary>When the shadow of an operation is paused after failures.</summary>
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
/// Raw samples: locked by default, open for a day at most, in memory only, shown to operators only. Opening them and each reading are
/// audited.
/// </summary>
public sealed class RawSamplesOptions
{
    /// <summary>The time until which values are kept and shown.</summary>
    /// <value>At most 24 hours ahead when it is set; a time that has passed keeps them locked. The default is never.</value>
    public DateTimeOffset? Until { get; set; }

    /// <summary>Who is responsible for opening them; required with <see cref="Until"/>.</summary>
    public string? Owner { get; set; }

    /// <summary>Why they are needed; required with <see cref="Until"/>.</summary>
    public string? Reason { get; set; }
}

/// <summary>The circuit breaker of each operation's shadow.</summary>
public sealed class BreakerOptions
{
    /// <summary>The share of failing shadow runs at which the breaker opens.</summary>
    /// <value>0.01 to 1. The default is 0.5.</value>
    [Range(0.01, 1d)]
    public double FailureRatio { get; set; } = 0.5;

    /// <summary>How many runs the window must contain before the breaker may open.</summary>
    /// <value>2 to 10,000. The default is 5, which runs that all time out still reach within a window.</value>
    [Range(2, 10_000)]
    public int MinimumThroughput { get; set; } = 5;

    /// <summary>The window in which the share of failing runs is measured.</summary>
    /// <value>500 milliseconds to 10 minutes. The default is 30 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.5", "00:10:00")]
    public TimeSpan Window { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the breaker stays open before one run may try again.</summary>
    /// <value>500 milliseconds to 10 minutes. The default is 5 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.5", "00:10:00")]
    public TimeSpan Rest { get; set; } = TimeSpan.FromSeconds(5);
}
