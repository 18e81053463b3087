using Shadowing.Journal;
using Shadowing.Postgres.Stores;
using Shadowing.Settings;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Ends acceptances that have expired, opens what has become more than was accepted, and learns what is accepted, where any of that may
/// have changed.
/// </summary>
internal sealed class LearnAcceptances(MismatchStore store, Acceptances acceptances, StoreMark marks, TimeProvider clock)
{
    private readonly MarkCursor _cursor = new(marks, clock);

    public async Task LearnAsync(CancellationToken cancellationToken)
    {
        var mark = _cursor.Latest;
        if (!_cursor.IsDue(mark)) return;
        await store.LapseAsync(cancellationToken);
        var accepted = await store.AcceptancesAsync(cancellationToken);
        var grown = accepted.Where(one => one is { IsOver: false, HasGrown: false, Share.IsMore: true }).ToArray();
        foreach (var one in grown) await store.ReopenAsync(one, cancellationToken);
        acceptances.Replace(grown.Length == 0 ? accepted : await store.AcceptancesAsync(cancellationToken));
        _cursor.Done(mark);
    }
}

/// <summary>Audits that raw samples are unlocked and that requests are recorded, once for each time that they are.</summary>
internal sealed class RawSamplesAnnounced(AuditLog audit, SettingsInForce settings)
{
    private DateTimeOffset? _announced;
    private DateTimeOffset? _recording;
    private string? _sealedTo;

    public async Task AnnounceAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var recorded = settings.Current.Recording;
        if (recorded.Until is { } end && end != _recording && recorded.IsOpen(now))
        {
            await audit.AddAsync(
                recorded.Owner ?? "", "recording.start", settings.Current.Replica, $"until {end:O}: {recorded.Reason}", cancellationToken);
            _recording = end;
        }

        var held = settings.Current.SealedSamples;
        if (!string.IsNullOrWhiteSpace(held.PublicKey) && held.PublicKey != _sealedTo)
        {
            await audit.AddAsync(held.Owner ?? "", "samples.seal", settings.Current.Replica, held.Reason ?? "", cancellationToken);
            _sealedTo = held.PublicKey;
        }

        var raw = settings.Current.RawSamples;
        if (raw.Until is not { } until || until == _announced || until <= now) return;
        await audit.AddAsync(raw.Owner ?? "", "samples.unlock", settings.Current.Replica, $"until {until:O}: {raw.Reason}",
            cancellationToken);
        _announced = until;
    }
}
