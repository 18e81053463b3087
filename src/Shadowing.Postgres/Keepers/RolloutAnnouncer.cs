using Microsoft.Extensions.Logging;
using Shadowing.Model;
using Shadowing.Rollout;

namespace Shadowing.Postgres.Keepers;

/// <summary>
/// Logs each change of the rollout in one line, on every replica that learns of it: by its own change, or by the store. The state that a
/// replica finds at its start is no change.
/// </summary>
public sealed partial class RolloutAnnouncer(ILogger<RolloutAnnouncer> logger)
{
    private readonly Lock _change = new();
    private readonly Dictionary<string, RolloutState> _told = [];

    /// <summary>Logs the state where its generation is newer than the last one.</summary>
    public void Tell(RolloutState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        RolloutState? before;
        lock (_change)
        {
            before = _told.GetValueOrDefault(state.Operation);
            if (before is not null && state.Generation <= before.Generation) return;
            _told[state.Operation] = state;
        }

        if (before is null) return;
        var level = state.IsHeld && !before.IsHeld ? LogLevel.Critical : state.IsForced && state.Stage != before.Stage ? LogLevel.Warning
            : LogLevel.Information;
        var what = What(before, state);
        LogChanged(level, state.Operation, what, state.Generation, state.ChangedBy, state.Reason);
    }

    private static string What(RolloutState before, RolloutState state) =>
        state.IsHeld && !before.IsHeld ? $"rolled back from {before.Stage.Name} to {state.Stage.Name}"
        : before.IsHeld && !state.IsHeld ? "acknowledged"
        : state.Nominated != before.Nominated ? $"build {state.Nominated} nominated"
        : state.Stage != before.Stage ? Moved(before, state)
        : state.IsAutomatic != before.IsAutomatic ? state.IsAutomatic ? "set to take earned steps by itself" : "set to wait for operators"
        : "changed";

    private static string Moved(RolloutState before, RolloutState state) =>
        RolloutRules.IsLower(state.Stage, before.Stage) ? $"lowered from {before.Stage.Name} to {state.Stage.Name}"
        : $"{(state.IsForced ? "forced" : "advanced")} from {before.Stage.Name} to {state.Stage.Name}";

    [LoggerMessage(EventId = 45, Message = "{Operation} is {Change} (generation {Generation}) by {Actor}: {Reason}")]
    private partial void LogChanged(LogLevel level, string operation, string change, long generation, string actor, string reason);
}
