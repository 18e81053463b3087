namespace Shadowing.Model;

/// <summary>The SQL commands of one observation and their time in the database, summed on the flow that runs it.</summary>
/// <remarks>The database driver's listener writes it. Commands outside an observation are not counted.</remarks>
public sealed class StatementLedger
{
    private static readonly AsyncLocal<StatementLedger?> Ambient = new();
    private const int MostTexts = 16;
    private readonly Lock _writing = new();
    private string[]? _texts;
    private int _kept;
    private int _statements;
    private long _ticks;
    private long _sentAt;

    /// <summary>The ledger of the calling flow; null outside an observation.</summary>
    public static StatementLedger? Current => Ambient.Value;

    /// <summary>Commands so far; a batch counts each of its commands.</summary>
    public int Statements => Volatile.Read(ref _statements);

    /// <summary>From sending a command to reading its last row, summed over the commands.</summary>
    public TimeSpan DatabaseTime => new(Volatile.Read(ref _ticks));

    /// <summary>The texts of the first 16 commands as the driver got them: with placeholders, without values.</summary>
    public IReadOnlyList<string> Texts
    {
        get { lock (_writing) return _texts is null ? [] : _texts[.._kept]; }
    }

    /// <summary>Notes that a command, or a batch of commands, was sent.</summary>
    public void Sent(long timestamp) => _sentAt = timestamp;

    /// <summary>Notes that the last command or batch has ended.</summary>
    public void Ended(int statements, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        Interlocked.Add(ref _statements, statements);
        if (_sentAt != 0) Interlocked.Add(ref _ticks, clock.GetElapsedTime(_sentAt).Ticks);
        _sentAt = 0;
    }

    /// <summary>Adds time in the database whose commands another ledger has counted.</summary>
    internal void Spend(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);

    /// <summary>Keeps the text of a command that has ended.</summary>
    public void Keep(string text)
    {
        lock (_writing)
        {
            if (_kept == MostTexts) return;
            _texts ??= new string[MostTexts];
            _texts[_kept++] = text;
        }
    }

    /// <summary>Opens a ledger for the calling async method; it ends with that method.</summary>
    public static StatementLedger Open() => Ambient.Value = new();
}
