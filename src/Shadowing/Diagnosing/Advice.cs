namespace Shadowing.Diagnosing;

/// <summary>Where to look, cause by cause.</summary>
internal static class Advice
{
    public static string On(Cause cause) => cause switch
    {
        Cause.AccessFilterLost =>
            "The condition on owner, role or visibility: it is missing from this query, or was dropped by a query filter that is switched "
            + "off.",
        Cause.Race =>
            "State shared between requests: a cached answer, a context or connection used twice, several statements that assume nothing "
            + "moves between them.",
        Cause.StaleAnswer =>
            "A cache that a write does not invalidate, a context that lives longer than a request, or a replica that lags behind.",
        Cause.OtherKey => "How keys are made: by the client, a HiLo range or another sequence, where the control lets the database decide.",
        Cause.NPlusOne => "Lazy loading, or a query inside a loop: load with Include, a projection or one query over all keys.",
        Cause.ExtraStatements =>
            "A statement that the control does without: a row that is read back after it was written, a check in a statement of its own, a "
            + "split query.",
        Cause.Slow => "The SQL that the candidate sends: a missing index, a join that explodes, a client-side evaluation.",
        Cause.OwnCode =>
            "The candidate's own code, not its SQL: a regular expression that backtracks, a loop over many rows, a lock, a wait for "
            + "something other than the database.",
        Cause.TimeZone =>
            "Conversions between Local, Utc and Unspecified, dates taken in another session time zone, and arithmetic across summer time.",
        Cause.TruncatedTime => "The column's precision in the model (timestamp(6)), a converter, or a text format that keeps milliseconds.",
        Cause.TimeFormat => "The member's type and DateTime.Kind: DateTimeOffset or Utc where the control has no zone.",
        Cause.TimeKindRefused => "The DateTime.Kind of a parameter: a column without time zone takes Unspecified only.",
        Cause.NullToEmpty => "Text concatenation, COALESCE or a converter: SQL gives NULL where C# gives the empty text.",
        Cause.EmptyToNull => "A value converter, or a binding that turns the empty text into null.",
        Cause.NullToDefault => "A non-nullable property, Sum or Average without a nullable selector, GetValueOrDefault.",
        Cause.UnreadColumn => "The projection or the model: the column is not selected, not mapped, or overwritten afterwards.",
        Cause.TrimmedText =>
            "Trim in C# takes every white space, SQL's trim only blanks; and a comparison of fixed-width text ignores blanks at the end.",
        Cause.CaseHandling => "ToLower, ToUpper, ILike, a case-insensitive collation or comparison.",
        Cause.TextNormalization => "A Normalize call, or a collation that treats normal forms alike.",
        Cause.TruncatedText => "A maximum length in the model or in the projection.",
        Cause.DroppedOrder =>
            "OrderBy is missing, comes before Distinct or GroupBy, or names another key; included collections have no order of their own.",
        Cause.UnstableTie =>
            "A sort key that does not decide between all rows: add the primary key on both sides, or declare the tie as a rule.",
        Cause.NullOrdering =>
            "PostgreSQL sorts NULL first when descending: an OrderBy on HasValue, a COALESCE in the key, or a sort in memory changes that.",
        Cause.PageOffByOne => "Skip: pages count from 1 here, so (page - 1) * limit.",
        Cause.PagingBeforeFilter => "The order of the operators: Where must come before Skip and Take.",
        Cause.InnerJoin => "A relation configured as required, or join where the control has LEFT JOIN.",
        Cause.NullComparison => "Comparisons on a nullable column: C# semantics add or drop IS NULL (!=, !, Contains, == false).",
        Cause.FilterLost => "A Where that is missing or only applied under a condition.",
        Cause.FilterAlwaysFalse => "An optional filter applied with null: test the parameter in C#, not in SQL.",
        Cause.EmptyFilter => "string.IsNullOrEmpty: the control takes an empty filter as none.",
        Cause.MissingInclude => "Include or the projection of the child rows.",
        Cause.LostNavigation => "A query filter on the related entity, or a join on another key.",
        Cause.MultipliedRows => "A join to a child table before counting or paging; count distinct keys, or count in a subquery.",
        Cause.FilteredCount => "The collection that is counted: a filter or Distinct that the control does not have.",
        Cause.MissingRows => "Joins and conditions that the control does not have.",
        Cause.ExtraRows => "Joins and conditions that the control has and the candidate has not.",
        Cause.WindowBoundary => "The bounds of the window: open against closed, the zone in which days are subtracted, the clock.",
        Cause.NumberPrecision => "double where PostgreSQL computes numeric, or the other way round.",
        Cause.NumberFormat => "The type that the number passes through on its way: numeric keeps its scale, double does not.",
        Cause.Arithmetic =>
            "The expression itself: unit, rounding mode, integer division, a component (Hours) in place of the whole (TotalHours).",
        Cause.Overflow => "The type of the sum or count: bigint in SQL, int in C#.",
        Cause.AggregateOfNothing => "Max, Min or Average over a non-nullable selector: cast it to a nullable type.",
        Cause.NoRowThrows => "First or Single where FirstOrDefault or SingleOrDefault is meant.",
        Cause.SecondRowThrows => "Single where the control takes the first of several.",
        Cause.NullInRequiredMember => "A member or column that is required in the model and NULL in the table.",
        Cause.NullKey => "ToDictionary or a lookup by a nullable column.",
        Cause.Untranslatable => "The expression that EF Core names: rewrite it, or evaluate it after the query on purpose.",
        Cause.DefaultNotApplied =>
            "HasDefaultValue and its sentinel: a CLR default is sent as unset, or an unmapped default as NULL. Leave the member out, or "
            + "ValueGeneratedOnAdd.",
        Cause.UnsetTime => "A non-nullable DateTime that is never set: map the column's default, ValueGeneratedOnAdd.",
        Cause.ForeignClock => "DateTime.Now, DateTime.UtcNow or clock_timestamp(): the control takes CURRENT_TIMESTAMP, the transaction's.",
        Cause.TwoClocks => "Two readings of a clock, or two transactions: take CURRENT_TIMESTAMP in both statements of one transaction.",
        Cause.NotTouched =>
            "SaveChanges sends nothing where nothing changed, and ExecuteUpdate only what it names: set the time of the change in every "
            + "update.",
        Cause.OverwrittenColumns =>
            "Update of a detached entity marks every column as changed: attach it and mark what was sent, or ExecuteUpdate.",
        Cause.LostTransition => "The condition under which the time is set: a transition is seen in the old value, which must be read.",
        Cause.RepeatedTransition => "The condition under which the time is set: only where the old value was another.",
        Cause.ClearedTime => "An else that sets NULL, or a mapping that sends an unread column.",
        Cause.CascadeLost =>
            "OnDelete in the model, soft deletion, and whether children are loaded when a client cascade is to delete them.",
        Cause.MassAssignment => "What of the request is copied to the entity: only what the caller may set.",
        Cause.MissingRowThrows =>
            "SaveChanges expects one row affected: catch DbUpdateConcurrencyException, or read first, or ExecuteDelete and look at the "
            + "count.",
        Cause.TransactionRefused =>
            "EnableRetryOnFailure: what begins a transaction runs whole in CreateExecutionStrategy().ExecuteAsync, or without retries.",
        Cause.HiddenDatabaseError => "What is caught and thrown again: keep the PostgresException as the inner one.",
        Cause.WriteLost => "SaveChanges that is not called, an entity that is not tracked, a transaction that is not committed.",
        Cause.WroteElsewhere => "The Where of ExecuteUpdate or ExecuteDelete, and entities that are tracked by mistake.",
        Cause.WrittenTwice =>
            "A retry around what was done already, Add called twice, an execution strategy that repeats without verifying.",
        Cause.EchoedEntity =>
            "The entity in memory is not the row: times have seven digits there and six here, and what the database computes must be read "
            + "back.",
        Cause.AcceptedWhatIsRefused => "A check that swallows the violation, a value that is dropped rather than refused.",
        Cause.FoundDifferently => "The condition by which the row is looked up, the joins it needs, and the check of access.",
        _ => "The difference itself, and the SQL of both sides.",
    };
}
