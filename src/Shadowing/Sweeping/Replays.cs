using Shadowing.Experiments;
using Shadowing.Recording;
using Shadowing.Settings;

namespace Shadowing.Sweeping;

/// <summary>Runs a replay.</summary>
internal delegate Task RunReplay(
    IReadOnlyCollection<Experiment> experiments, IReadOnlyList<RecordedRequest> requests, Replay replay,
        CancellationToken cancellationToken);

/// <summary>The replay of a recording on this replica: one at a time, in memory, and gone with the process.</summary>
public sealed class Replays : IDisposable
{
    private readonly Lock _change = new();
    private readonly IReadOnlyCollection<Experiment> _experiments;
    private readonly RunReplay _run;
    private readonly SettingsInForce _settings;
    private readonly TimeProvider _clock;
    private Replay? _latest;

    internal Replays(IEnumerable<Experiment> experiments, RunReplay run, SettingsInForce settings, TimeProvider clock) =>
        (_experiments, _run, _settings, _clock) = ([.. experiments], run, settings, clock);

    /// <summary>Reads a recording with the key of the settings, and begins to replay it.</summary>
    /// <param name="from">How many requests to leave out at the beginning.</param>
    /// <param name="only">Looks for this signature alone, of this operation; null for all of both.</param>
    /// <returns>Null where one is running.</returns>
    /// <exception cref="InvalidDataException">It cannot be read, in words for the caller.</exception>
    public ReplayState? Start(Stream recording, long from, (string Signature, string Operation)? only, string actor)
    {
        if (_settings.Current.Recording.KeyBytes() is not { } key)
            throw new InvalidDataException("Shadowing:Recording:Key is not set on this service: recordings are encrypted.");
        var all = RecordingReader.Read(recording, key);
        RecordedRequest[] requests =
            [.. all.Skip((int)Math.Min(from, int.MaxValue)).Where(request => only is not { } one || request.Operation == one.Operation)];
        Replay replay;
        lock (_change)
        {
            if (_latest is { IsRunning: true }) return null;
            replay = new((_latest?.Id ?? 0) + 1, requests.Length, from, only?.Signature, actor, _clock);
            _latest = replay;
        }

        using (ExecutionContext.SuppressFlow()) _ = Task.Run(() => RunAsync(requests, replay), CancellationToken.None);
        return replay.Read();
    }

    /// <returns>Null where there is none of this id.</returns>
    public ReplayState? Find(long id) => _latest is { } latest && latest.Id == id ? latest.Read() : null;

    /// <summary>Ends it before its time.</summary>
    /// <returns>Whether it was running.</returns>
    public bool Stop(long id)
    {
        if (_latest is not { IsRunning: true } latest || latest.Id != id) return false;
        latest.Stopping.Cancel();
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _latest?.Stopping.Cancel();

    private async Task RunAsync(IReadOnlyList<RecordedRequest> requests, Replay replay)
    {
        try
        {
            await _run(_experiments, requests, replay, replay.Stopping.Token);
            replay.Ended("done");
        }
#pragma warning disable CA1031 // What ends it early is shown as its state; nothing else depends on it.
        catch (Exception ended)
        {
            replay.Ended(ended is OperationCanceledException ? "stopped" : $"failed: {ended.GetType().Name}");
        }
#pragma warning restore CA1031
    }
}
