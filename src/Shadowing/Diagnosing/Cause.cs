namespace Shadowing.Diagnosing;

/// <summary>The known ways in which a rewrite goes wrong. A closed list: on the wire the names in snake_case.</summary>
public enum Cause
{
    /// <summary>None of the known causes fits.</summary>
    Unknown,

    /// <summary>Something is shown to a caller who may not see it.</summary>
    AccessFilterLost,

    /// <summary>
    /// The sides agree on one snapshot, or of a write in the sandbox; the candidate differs only while both run, and nothing moved.
    /// </summary>
    Race,

    /// <summary>The answer is what the control answered to the same request before something changed.</summary>
    StaleAnswer,

    /// <summary>A statement more for each row.</summary>
    NPlusOne,

    /// <summary>More statements for the same answer, though not one for each row.</summary>
    ExtraStatements,

    /// <summary>The candidate does not answer in time.</summary>
    Slow,

    /// <summary>The candidate does not answer in time, and does not wait for the database.</summary>
    OwnCode,

    /// <summary>Local and universal time are mixed up.</summary>
    TimeZone,

    /// <summary>Times lose their finest digits.</summary>
    TruncatedTime,

    /// <summary>The same time, written with a zone on one side.</summary>
    TimeFormat,

    /// <summary>A time of the wrong kind is sent to the database.</summary>
    TimeKindRefused,

    /// <summary>NULL becomes the empty text.</summary>
    NullToEmpty,

    /// <summary>The empty text becomes NULL.</summary>
    EmptyToNull,

    /// <summary>NULL becomes zero or another default value.</summary>
    NullToDefault,

    /// <summary>A column is not read.</summary>
    UnreadColumn,

    /// <summary>White space around a text is lost, or another set of characters counts as white space.</summary>
    TrimmedText,

    /// <summary>Upper and lower case are treated alike on one side.</summary>
    CaseHandling,

    /// <summary>The same text in another Unicode normal form.</summary>
    TextNormalization,

    /// <summary>The end of a text is cut off.</summary>
    TruncatedText,

    /// <summary>An order is not asked for, or another one.</summary>
    DroppedOrder,

    /// <summary>Rows that tie come in another order.</summary>
    UnstableTie,

    /// <summary>NULL sorts first on one side and last on the other.</summary>
    NullOrdering,

    /// <summary>The page is another one, or shifted.</summary>
    PageOffByOne,

    /// <summary>The page is cut before the rows are filtered.</summary>
    PagingBeforeFilter,

    /// <summary>An optional relation is joined as if it were required.</summary>
    InnerJoin,

    /// <summary>A comparison with NULL lets rows through, or keeps them out.</summary>
    NullComparison,

    /// <summary>A condition is missing.</summary>
    FilterLost,

    /// <summary>A condition that is never true.</summary>
    FilterAlwaysFalse,

    /// <summary>An empty filter is taken as a value rather than as none.</summary>
    EmptyFilter,

    /// <summary>Related rows are not loaded.</summary>
    MissingInclude,

    /// <summary>The members of a related row are all NULL though the relation is there.</summary>
    LostNavigation,

    /// <summary>A join multiplies rows.</summary>
    MultipliedRows,

    /// <summary>A count leaves out rows that the control counts.</summary>
    FilteredCount,

    /// <summary>Rows are missing for no reason that is known.</summary>
    MissingRows,

    /// <summary>Rows are there that should not be, for no reason that is known.</summary>
    ExtraRows,

    /// <summary>Aggregates are taken over another set of rows.</summary>
    WindowBoundary,

    /// <summary>A number is computed in another precision.</summary>
    NumberPrecision,

    /// <summary>The same number, written with other digits.</summary>
    NumberFormat,

    /// <summary>A number is computed in another way: unit, rounding, or part of it.</summary>
    Arithmetic,

    /// <summary>A number does not fit its type.</summary>
    Overflow,

    /// <summary>An aggregate over no rows fails.</summary>
    AggregateOfNothing,

    /// <summary>A row that is not there fails instead of being not found.</summary>
    NoRowThrows,

    /// <summary>A second row fails where the first would have done.</summary>
    SecondRowThrows,

    /// <summary>NULL is read into something that cannot hold it.</summary>
    NullInRequiredMember,

    /// <summary>NULL is used as a key.</summary>
    NullKey,

    /// <summary>The query cannot be translated to SQL.</summary>
    Untranslatable,

    /// <summary>A column has not the default that the database gives it.</summary>
    DefaultNotApplied,

    /// <summary>A time that was never set is stored as the value that stands for it.</summary>
    UnsetTime,

    /// <summary>A time is another clock's than the database's transaction.</summary>
    ForeignClock,

    /// <summary>Times that are one moment are read from a clock more than once.</summary>
    TwoClocks,

    /// <summary>The time of the latest change is not set.</summary>
    NotTouched,

    /// <summary>Columns that the request does not name are overwritten.</summary>
    OverwrittenColumns,

    /// <summary>The time of a transition is not set.</summary>
    LostTransition,

    /// <summary>The time of a transition is set without one.</summary>
    RepeatedTransition,

    /// <summary>The time of a transition is cleared.</summary>
    ClearedTime,

    /// <summary>Rows that are to be deleted stay, or do not all go together.</summary>
    CascadeLost,

    /// <summary>Columns are written that the request may not write.</summary>
    MassAssignment,

    /// <summary>A row that is not there fails the write instead of being not found.</summary>
    MissingRowThrows,

    /// <summary>A transaction that the code begins itself is refused by a strategy that would have to repeat it.</summary>
    TransactionRefused,

    /// <summary>The database's refusal is lost in another exception.</summary>
    HiddenDatabaseError,

    /// <summary>A write is answered and not stored.</summary>
    WriteLost,

    /// <summary>Rows are written that the request does not name.</summary>
    WroteElsewhere,

    /// <summary>A row is written more than once.</summary>
    WrittenTwice,

    /// <summary>A row is made under another key.</summary>
    OtherKey,

    /// <summary>The answer is what was sent to the database, not what is stored.</summary>
    EchoedEntity,

    /// <summary>What the database refuses is stored.</summary>
    AcceptedWhatIsRefused,

    /// <summary>A row is found by one side and not by the other, or is allowed and forbidden.</summary>
    FoundDifferently,
}

/// <summary>What a mismatch points to.</summary>
/// <param name="Evidence">What speaks for it, in figures and paths; never a value.</param>
public sealed record Diagnosis(Cause Cause, string Evidence)
{
    /// <summary>Where to look in the candidate's code.</summary>
    public string LookAt => Advice.On(Cause);
}
