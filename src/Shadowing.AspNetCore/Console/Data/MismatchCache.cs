using Shadowing.AspNetCore.Endpoints;

namespace Shadowing.AspNetCore.Console.Data;

/// <summary>The list of mismatches, read at most once a second however many pages are open.</summary>
internal sealed class MismatchCache(MismatchReader mismatches, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan Holds = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim _one = new(1);
    private MismatchList? _latest;
    private long _readAt;

    public async Task<MismatchList> ReadAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_latest is not null && clock.GetElapsedTime(_readAt) < Holds) return _latest;
            _latest = await mismatches.ListAsync(null, cancellationToken);
            _readAt = clock.GetTimestamp();
            return _latest;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>After a change, so that it is seen at once.</summary>
    public void Forget() => _latest = null;

    public void Dispose() => _one.Dispose();
}
