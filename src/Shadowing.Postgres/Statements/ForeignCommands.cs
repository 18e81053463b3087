using System.Data;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Npgsql;
using Shadowing.Experiments;

namespace Shadowing.Postgres.Statements;

/// <summary>
/// Stops a shadow run before it sends a command on any connection but its own: there a write would be a second real write, and a read would
/// see other data. On its own it stops commands that others would notice although no row is stored: notifications, advisory locks, large
/// objects, other databases and programs.
/// </summary>
/// <remarks>
/// Npgsql announces each command twice on the thread that sends it, right before it is sent: first to the log of its data source, then as
/// an activity. Only shadowing's data sources log to <see cref="SqlLedger"/>, with the session's id. So an activity that no log entry of
/// the run's own session came before is another connection's.
/// </remarks>
internal static partial class ForeignCommands
{
    private const string Driver = "Npgsql";
    private const string Session = "ConnectorId";

    // Physical connections are activities too. They send no command, and what is opened in a run may be its own.
    private const string Opening = "CONNECT";

    private static readonly Lazy<ActivityListener> Listening = new(Listen);

    [ThreadStatic]
    private static bool _isAnnounced;

    [ThreadStatic]
    private static bool _isNoticed;

    /// <summary>Watches this process from now on. All hosts in it share one watch, because a run knows its host.</summary>
    public static void Watch() => _ = Listening.Value;

    /// <summary>Notes that the log has announced a command.</summary>
    public static void Announce<TState>(TState state)
    {
        if (RunPlace.CurrentShadow is not { Connection: NpgsqlConnection own }) return;
        if (state is not IReadOnlyList<KeyValuePair<string, object?>> members) return;
        _isNoticed = false;
        foreach (var member in members)
        {
            if (member is { Key: "CommandText", Value: string text }) _isNoticed |= Noticed().IsMatch(text);
            else if (member is { Key: "BatchCommands", Value: Array batch })
                _isNoticed |= batch.Cast<object?>().Any(command => Noticed().IsMatch(SqlLedger.TextOf(command)));
            // A side may have closed its connection; then the session is another's.
            if (member is { Key: Session, Value: int session })
                _isAnnounced = own.State is ConnectionState.Open && session == own.ProcessID;
        }
    }

    private static ActivityListener Listen()
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == Driver,
            Sample = static (ref _) =>
                RunPlace.CurrentShadow is null ? ActivitySamplingResult.None : ActivitySamplingResult.PropagationData,
            ActivityStarted = Started,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private static void Started(Activity activity)
    {
        if (RunPlace.CurrentShadow is not { } run || activity.OperationName.StartsWith(Opening, StringComparison.Ordinal)) return;
        var (isOwn, isNoticed) = (_isAnnounced, _isNoticed);
        (_isAnnounced, _isNoticed) = (false, false);
        if (isOwn && !isNoticed) return;
        activity.Stop();
        if (isOwn)
        {
            run.Stop(
                "sending a notification, taking an advisory lock, or writing beyond the tables",
                "That acts outside of the sandbox. Leave the method out, or put that part behind a service that Replace silences.");
        }

        run.Stop(
            "sending a command on a connection that is not its own",
            "Build it over the NpgsqlConnection of its scope: no connection string of its own, no pooled context that keeps one, "
            + "no data source.");
    }

    // Where a function of the database's does it, that is not seen.
    [GeneratedRegex(
        @"(^|;)\s*notify\s|\bpg_notify\s*\(|\bpg_(try_)?advisory_(xact_)?lock(_shared)?\s*\("
        + @"|\b(lo_(creat|create|from_bytea|put|import|unlink|truncate|truncate64)|lowrite|dblink(_exec|_send_query)?|pg_file_write)\s*\("
        + @"|(^|;)\s*copy\b[^;]*\bto\s+program\b",
        RegexOptions.IgnoreCase)]
    private static partial Regex Noticed();
}
