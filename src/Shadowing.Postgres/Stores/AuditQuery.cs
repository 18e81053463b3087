namespace Shadowing.Postgres.Stores;

/// <summary>Which entries of the audit are asked for; what is null selects all.</summary>
/// <param name="Count">How many at most.</param>
/// <param name="Before">Only entries that are older than this one: the last of the page before.</param>
/// <param name="Actor">Who acted.</param>
/// <param name="Action">The action, or its beginning up to a dot: <c>rollout</c> selects <c>rollout.force</c> too.</param>
/// <param name="Subject">Such as an operation's name.</param>
/// <param name="WithRefusals">Whether refused requests are among them.</param>
public sealed record AuditQuery(
    int Count = AuditQuery.Most, long? Before = null, string? Actor = null, string? Action = null, string? Subject = null,
    bool WithRefusals = true)
{
    /// <summary>The most entries of one answer.</summary>
    public const int Most = 500;

    internal const string Where =
        """
        where ($2::bigint is null or id < $2) and ($3::text is null or actor = $3)
            and ($4::text is null or action = $4 or starts_with(action, rtrim($4, '.') || '.'))
            and ($5::text is null or subject = $5) and ($6::timestamptz is null or at >= $6) and ($7 or action <> 'access.refused')
        """;

    /// <summary>Entries of this moment and later ones.</summary>
    public DateTimeOffset? Since { get; init; }
}
