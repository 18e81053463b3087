using Shadowing.Model;

namespace Shadowing.Serving;

/// <summary>A request that waits to be compared, or is.</summary>
internal abstract class ShadowRun
{
    public required OperationState Operation { get; init; }

    public required long EnqueuedAt { get; init; }

    /// <summary>How much memory it holds while it waits, about, in bytes; 0 for what its place alone bounds.</summary>
    public long Size { get; init; }

    /// <summary>Runs the shadow and says what came of it. Never throws.</summary>
    public abstract Task RunAsync(CancellationToken stopping);

    /// <summary>Ends the request uncompared.</summary>
    public abstract void Shed(SkipReason reason);
}
