using System.Collections.Immutable;
using System.Globalization;
using Shadowing.Settings;
using Shadowing.Supervision;

namespace Shadowing.Confirming;

/// <summary>
/// The runs that were given up and have not ended. Nothing in one process can end a run that does not listen: what is bounded is how many
/// there are. Safe for concurrent use.
/// </summary>
internal sealed class AbandonedRuns(SettingsInForce settings, Findings findings)
{
    private const string Check = "abandoned runs";

    private readonly Lock _change = new();
    private ImmutableSortedDictionary<string, Going> _byOperation = ImmutableSortedDictionary.Create<string, Going>(StringComparer.Ordinal);

    private int MostOfOne => Math.Max(1, settings.Current.MaxAbandoned / 2);

    /// <summary>
    /// Whether no run of an operation may begin. One operation holds half of the places, and one at least, however many of its runs go on:
    /// an operation whose runs never end rests alone.
    /// </summary>
    public bool MustRest(string operation)
    {
        var (going, most) = (Volatile.Read(ref _byOperation), MostOfOne);
        return going.GetValueOrDefault(operation)?.Runs >= most
            || going.Values.Sum(one => Math.Min(one.Runs, most)) >= settings.Current.MaxAbandoned;
    }

    /// <summary>Counts a run until it ends.</summary>
    /// <param name="isInOwnCode">Whether it runs no command of the database, so that it may keep a processor.</param>
    public void Add(string operation, Task running, bool isInOwnCode)
    {
        Count(operation, 1, isInOwnCode ? 1 : 0);
        _ = running.ContinueWith(_ => Count(operation, -1, isInOwnCode ? -1 : 0), TaskScheduler.Default);
    }

    private void Count(string operation, int runs, int inOwnCode)
    {
        lock (_change)
        {
            var before = _byOperation.GetValueOrDefault(operation) ?? new(0, 0);
            var after = new Going(before.Runs + runs, before.InOwnCode + inOwnCode);
            Volatile.Write(ref _byOperation, after.Runs == 0 ? _byOperation.Remove(operation) : _byOperation.SetItem(operation, after));
            findings.Replace(Check, [.. _byOperation.Where(one => one.Value.InOwnCode > 0).Select(one => Found(one.Key, one.Value))]);
        }
    }

    private static Finding Found(string operation, Going going) => new(
        Finding.Warning, operation,
        $"{going.InOwnCode.ToString(CultureInfo.InvariantCulture)} run(s) that were given up have not ended, and run no command of the "
            + "database: each may keep a processor. Nothing but a restart of the service ends them. Until then this operation is not "
            + "compared.");

    private sealed record Going(int Runs, int InOwnCode);
}
