using Microsoft.EntityFrameworkCore;
using Ticketing.Demo.Faults;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>A write line of the divergence catalogue as a candidate that makes just this one mistake.</summary>
/// <param name="Line">The line's number, with a letter where it has several forms; <see cref="Beyond"/> where it has none.</param>
/// <param name="Change">From which form to which.</param>
internal sealed record WriteFault(string Line, string Name, string Change)
{
    public const string Beyond = "beyond";

    /// <summary>The operation that makes the mistake; the other three are null.</summary>
    public CreateRecipe? Create { get; init; }

    /// <inheritdoc cref="Create"/>
    public UpdateRecipe? Update { get; init; }

    /// <inheritdoc cref="Create"/>
    public DeleteRecipe? Delete { get; init; }

    /// <inheritdoc cref="Create"/>
    public CommentRecipe? Comment { get; init; }

    /// <summary>Another model or other options; null where the mistake is in the code alone.</summary>
    public IDbContextFactory<TicketingContext>? Contexts { get; init; }

    public required Provocation Provokes { get; init; }

    /// <summary>Where it may show. The first is where it must.</summary>
    public required IReadOnlyList<FaultTrace> Traces { get; init; }

    /// <summary>The diagnoses that are right, as they are on the wire, the best one first.</summary>
    public required IReadOnlyList<string> Causes { get; init; }

    /// <summary>Whether it lets somebody do or see what he may not.</summary>
    public bool IsLeak { get; init; }

    public string Operation => Create is not null ? "tickets.create" : Update is not null ? "tickets.update"
        : Delete is not null ? "tickets.delete" : "tickets.comment";

    /// <summary>The candidate with this mistake in it; what other operations do is its own.</summary>
    public ITicketStore Over(ITicketStore candidate, IDbContextFactory<TicketingContext> contexts, TicketSession session) =>
        new MiswrittenStore(this, candidate, Contexts ?? contexts, session);

    public override string ToString() => Name;
}

/// <summary>Where write faults show, in short.</summary>
internal static class Stored
{
    public const string Value = "value";
    public const string Null = "null_vs_value";

    public static readonly FaultTrace MissingTicket = new("rows.support_tickets[*]", "missing_row");
    public static readonly FaultTrace ExtraTicket = new("rows.support_tickets[*]", "extra_row");
    public static readonly FaultTrace MissingComment = new("rows.ticket_comments[*]", "missing_row");
    public static readonly FaultTrace ExtraComment = new("rows.ticket_comments[*]", "extra_row");

    public static FaultTrace InTicket(string column, string kind) => new($"rows.support_tickets[*].{column}", kind);

    public static FaultTrace InComment(string column, string kind) => new($"rows.ticket_comments[*].{column}", kind);

    /// <summary>In the rows, and in the answer that a creation gives.</summary>
    public static IEnumerable<FaultTrace> Created(string kind, params string[] columns) =>
        [.. columns.Select(column => InTicket(column, kind)), .. columns.Select(column => new FaultTrace(Member(column), kind))];

    /// <summary>In the rows, and in the answer that an update gives.</summary>
    public static IEnumerable<FaultTrace> Updated(string kind, params string[] columns) =>
        [.. columns.Select(column => InTicket(column, kind)),
            .. columns.Select(column => new FaultTrace($"ticket.{Member(column)}", kind))];

    /// <summary>In the rows, and in the answer that a comment gives.</summary>
    public static IEnumerable<FaultTrace> Commented(string kind, params string[] columns) =>
        [.. columns.Select(column => InComment(column, kind)),
            .. columns.Select(column => new FaultTrace($"comment.{Member(column)}", kind))];

    private static string Member(string column) =>
        string.Concat(column.Split('_').Select((word, i) => i == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..]));
}
