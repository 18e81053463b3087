namespace Shadowing.Model;

/// <summary>The SQL commands of one observation and their time in the database, summed on the flow that runs it.</summary>
/// <remarks>The database driver's listener writes it. Commands outside an observation are not counted.</remarks>
public sealed class StatementLedger
{
    private static readonly AsyncLocal<StatementLedger?> Ambient = new();
    private const int MostEffects = 1_000;

    /// <summary>How many texts of commands are kept.</summary>
    internal const int MostTexts = 16;

    /// <summary>The effect of a command that the server has refused.</summary>
    public const string Refused = "REFUSED";

    private readonly Lock _writing = new();
    private readonly List<string>? _effects;
    private readonly HashSet<string>? _values;
    private string[]? _texts;
    private int _kept;
    private int _statements;
    private long _ticks;
    private long _sentAt;
    private StatementLedger? _within;

    /// <summary>A ledger that keeps neither effects nor values.</summary>
    public StatementLedger()
    {
    }

    private StatementLedger(bool ofWrite)
    {
        if (ofWrite) (_effects, _values) = ([], []);
    }

    /// <summary>Whether it keeps what each command did, as that of a write does.</summary>
    public bool KeepsEffects => _effects is not null;

    /// <summary>What each command did, as <c>UPDATE 1</c>, in the order in which they ended; the first 1,000.</summary>
    public IReadOnlyList<string> Effects
    {
        get { lock (_writing) return _effects is null ? [] : [.. _effects]; }
    }

    /// <summary>The values that commands were sent with, as texts, for finding the rows that they name. Never stored or shown.</summary>
    public IReadOnlyCollection<string> Values
    {
        get { lock (_writing) return _values is null ? [] : [.. _values]; }
    }

    /// <summary>Whether it is certain that the write has changed nothing: the server has refused every command, or none was sent.</summary>
    public bool HasNoEffect
    {
        get
        {
            lock (_writing)
            {
                return _effects is { Count: > 0 and < MostEffects } effects ? effects.TrueForAll(static effect => effect == Refused)
                    : _effects is { Count: 0 } && Statements == 0;
            }
        }
    }

    /// <summary>The ledger of the calling flow; null outside an observation.</summary>
    public static StatementLedger? Current => Ambient.Value;

    /// <summary>Commands so far; a batch counts each of its commands.</summary>
    public int Statements => Volatile.Read(ref _statements);

    /// <summary>From sending a command to reading its last row, summed over the commands.</summary>
    public TimeSpan DatabaseTime => new(Volatile.Read(ref _ticks));

    /// <summary>Whether a command is being answered now.</summary>
    internal bool IsRunning => Volatile.Read(ref _sentAt) != 0 || Volatile.Read(ref _within)?.IsRunning is true;

    /// <summary>The texts of the first 16 commands as the driver got them: with placeholders, without values.</summary>
    public IReadOnlyList<string> Texts
    {
        get { lock (_writing) return _texts is null ? [] : _texts[.._kept]; }
    }

    /// <summary>Notes that a command, or a batch of commands, was sent.</summary>
    public void Sent(long timestamp) => Volatile.Write(ref _sentAt, timestamp);

    /// <summary>Notes that the last command or batch has ended.</summary>
    public void Ended(int statements, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        Interlocked.Add(ref _statements, statements);
        if (_sentAt != 0) Interlocked.Add(ref _ticks, clock.GetElapsedTime(_sentAt).Ticks);
        Volatile.Write(ref _sentAt, 0);
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

    /// <summary>Keeps what a command did, and the values that it was sent with.</summary>
    public void Did(string effect, IEnumerable<string> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        lock (_writing)
        {
            if (_effects is null || _effects.Count == MostEffects) return;
            _effects.Add(effect);
            foreach (var value in values)
            {
                if (_values!.Count < MostEffects) _values.Add(value);
            }
        }
    }

    /// <summary>Opens a ledger for the calling async method; it ends with that method.</summary>
    public static StatementLedger Open() => Ambient.Value = new();

    /// <summary>The same for a write, whose commands the flow's ledger so far does not see.</summary>
    internal static StatementLedger OpenForWrite()
    {
        var own = new StatementLedger(ofWrite: true);
        if (Ambient.Value is { } outer) Volatile.Write(ref outer._within, own);
        return Ambient.Value = own;
    }
}
