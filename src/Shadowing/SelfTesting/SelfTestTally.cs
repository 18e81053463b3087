using Shadowing.Model;

namespace Shadowing.SelfTesting;

/// <summary>What the self-test found of one operation. In counts of its own: none of it enters the comparisons.</summary>
/// <param name="ControlAgainstControl">By outcome: what differs here is noise, and would be reported of any candidate.</param>
/// <param name="Planted">Differences planted in memory.</param>
/// <param name="Found">Those that were found where they were planted.</param>
/// <param name="NotPlanted">How often nothing could be planted: of an empty answer, or one whose type JSON does not bring back.</param>
/// <param name="IsAlive">Whether the latest was found; null before the first.</param>
public sealed record SelfTestStatus(
    IReadOnlyDictionary<string, long> ControlAgainstControl, long Planted, long Found, long NotPlanted, bool? IsAlive);

internal sealed class SelfTestTally
{
    private readonly Lock _lock = new();
    private readonly long[] _outcomes = new long[Enum.GetValues<Outcome>().Length];
    private long _planted;
    private long _found;
    private long _notPlanted;
    private bool? _isAlive;
    private long _last = long.MinValue;

    /// <summary>Whether a test is due, and if so takes it: no other worker will.</summary>
    public bool TakeTurn(TimeProvider clock, TimeSpan interval)
    {
        lock (_lock)
        {
            if (_last != long.MinValue && clock.GetElapsedTime(_last) < interval) return false;
            _last = clock.GetTimestamp();
            return true;
        }
    }

    public void Compared(Outcome outcome)
    {
        lock (_lock) _outcomes[(int)outcome]++;
    }

    public void Planted(bool? isFound)
    {
        lock (_lock)
        {
            if (isFound is null)
            {
                _notPlanted++;
                return;
            }

            _planted++;
            if (isFound is true) _found++;
            _isAlive = isFound;
        }
    }

    public SelfTestStatus Read()
    {
        lock (_lock)
            return new(
                Enum.GetValues<Outcome>().ToDictionary(outcome => outcome.Wire(), outcome => _outcomes[(int)outcome]),
                _planted, _found, _notPlanted, _isAlive);
    }
}
