using Shadowing.Supervision;

namespace Ticketing.Api.Problems;

/// <summary>
/// Logs requests that found no database: the first at once, and then the number of the others each period while there are any. A line and a
/// stack for each would be thousands a minute that all say the same.
/// </summary>
internal sealed class OutageLog(TimeProvider clock, ILogger<OutageLog> logger) : IDisposable
{
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly Lock _change = new();
    private ITimer? _timer;
    private long _more;
    private (string Method, string? Route, string Why) _last;

    public void Add(string method, string? route, Exception failure)
    {
        var why = FailureText.Sentence(failure);
        lock (_change)
        {
            if (_timer is not null)
            {
                _more++;
                _last = (method, route, why);
                return;
            }

            _timer = clock.CreateTimer(static log => ((OutageLog)log!).Tell(), this, Period, Timeout.InfiniteTimeSpan);
        }

        Log.DatabaseUnavailable(logger, method, route, why, Period.TotalSeconds);
    }

    public void Dispose()
    {
        lock (_change) _timer?.Dispose();
    }

    /// <summary>A period without any ends it: the next request is a first one again.</summary>
    private void Tell()
    {
        lock (_change)
        {
            if (_more == 0)
            {
                _timer?.Dispose();
                _timer = null;
                return;
            }

            Log.DatabaseStillUnavailable(logger, _more, Period.TotalSeconds, _last.Method, _last.Route, _last.Why);
            _more = 0;
            _timer?.Change(Period, Timeout.InfiniteTimeSpan);
        }
    }
}
