namespace EndToEnd.Tests.Live;

/// <summary>Waits for something to be seen.</summary>
internal static class Eventually
{
    // Three replicas have not been ready in 90 s on a machine with twenty times its load.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    /// <param name="what">What is waited for, to be named where it does not come.</param>
    /// <returns>When it was seen.</returns>
    public static async Task<DateTimeOffset> HoldsAsync(string what, Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        using var look = new PeriodicTimer(Look);
        try
        {
            while (!await condition()) await look.WaitForNextTickAsync(limit.Token);
            return TimeProvider.System.GetUtcNow();
        }
        // Not where a request of the condition ran out of its own time: that says so itself.
        catch (OperationCanceledException) when (
            limit.IsCancellationRequested && !TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Not seen within {Patience.TotalSeconds} s: {what}.");
        }
    }
}
