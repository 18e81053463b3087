namespace Ticketing.Api.Tests.Matrix;

/// <summary>Who and what a provocation is about.</summary>
/// <param name="Ticket">A ticket with comments; <paramref name="Owner"/>'s, who is not staff.</param>
/// <param name="Stranger">Somebody else who is not staff.</param>
internal sealed record WriteScene(int Ticket, int Owner, int Stranger)
{
    public const int Missing = 2_147_000_001;

    public Caller Staff { get; } = new(1, "superadmin");

    public Caller AsOwner => new(Owner, "user");

    public Caller AsStranger => new(Stranger, "user");
}

/// <summary>The kind of request that brings a write fault out.</summary>
/// <param name="What">The kind, in words.</param>
/// <param name="Request">One of that kind.</param>
/// <param name="Ticket">What the ticket must be like beforehand, as a JSON object of its columns.</param>
/// <param name="IsRefusedAtTheEdge">Whether no traffic can bring it, because the service refuses it before a store sees it.</param>
internal sealed record Provocation(
    string What, Func<WriteScene, object> Request, string Ticket = "{}", bool IsRefusedAtTheEdge = false);

/// <summary>The kinds of requests that bring faults out.</summary>
internal static class Provoking
{
    public static readonly Provocation NewTicket = new(
        "a new ticket",
        static scene => New(scene));

    public static readonly Provocation NewTicketOfLowPriority = new(
        "a new ticket of priority low",
        static scene => New(scene) with { Priority = "low" });

    public static readonly Provocation NewTicketOfInvisibleSubject = new(
        "a new ticket whose subject is nothing but zero-width characters",
        static scene => New(scene) with { Subject = "\u200b\u200b\u200b\u200b\u200b" });

    public static readonly Provocation NewTicketOfBlankSubject = new(
        "a new ticket whose subject is nothing but blanks",
        static scene => New(scene) with { Subject = "     " },
        IsRefusedAtTheEdge: true);

    public static readonly Provocation NewTicketOfLongSubject = new(
        "a new ticket whose subject is longer than the column",
        static scene => New(scene) with { Subject = new('s', 256) },
        IsRefusedAtTheEdge: true);

    public static readonly Provocation NewTicketOfLongDescription = new(
        "a new ticket with a description of more than 255 characters",
        static scene => New(scene) with { Description = new('d', 300) });

    public static readonly Provocation Change = new(
        "any change that is granted",
        static scene => new UpdateTicket(scene.Staff, scene.Ticket, Priority: "low"));

    public static readonly Provocation ChangeOfNothing = new(
        "a change to what is there already",
        static scene => new UpdateTicket(scene.AsOwner, scene.Ticket, Priority: "high"));

    public static readonly Provocation ChangeOfPriority = new(
        "a change of the priority alone",
        static scene => new UpdateTicket(scene.AsOwner, scene.Ticket, Priority: "low"));

    public static readonly Provocation ChangeByStaff = new(
        "a change of somebody else's ticket by staff",
        static scene => new UpdateTicket(scene.Staff, scene.Ticket, Priority: "low"));

    public static readonly Provocation ChangeOfEverything = new(
        "a change by staff of all that can be changed",
        static scene => new UpdateTicket(scene.Staff, scene.Ticket, "closed", "low", new(scene.Owner), new("Done.")));

    public static readonly Provocation Clearing = new(
        "a change that clears assignee and resolution",
        static scene => new UpdateTicket(scene.Staff, scene.Ticket, AssignedTo: new(null), Resolution: new(null)));

    public static readonly Provocation ChangeByStranger = new(
        "a change of somebody else's ticket by a user",
        static scene => new UpdateTicket(scene.AsStranger, scene.Ticket, Priority: "low"));

    public static readonly Provocation ChangeOfMissing = new(
        "a change of a ticket that does not exist",
        static scene => new UpdateTicket(scene.AsStranger, WriteScene.Missing, Priority: "low"));

    public static readonly Provocation Resolving = new(
        "a change into resolved",
        static scene => new UpdateTicket(scene.Staff, scene.Ticket, "resolved"),
        """{"resolved_at": null}""");

    public static readonly Provocation ResolvingTheUndefined = Resolving with
    {
        What = "a change into resolved from the status NULL",
        Ticket = """{"status": null, "resolved_at": null}""",
    };

    public static readonly Provocation ResolvingAgain = new(
        "a change into resolved of a ticket that is",
        static scene => new UpdateTicket(scene.Staff, scene.Ticket, "resolved"),
        """{"status": "resolved"}""");

    public static readonly Provocation ChangeOfResolved = new(
        "a change of a resolved ticket that leaves its status",
        static scene => new UpdateTicket(scene.Staff, scene.Ticket, Priority: "low"),
        """{"status": "resolved"}""");

    public static readonly Provocation Reopening = new(
        "a change of a resolved ticket to open",
        static scene => new UpdateTicket(scene.AsOwner, scene.Ticket, "open"),
        """{"status": "resolved"}""");

    public static readonly Provocation EmptyResolution = Resolution("", "a resolution that is the empty text");

    public static readonly Provocation BlankResolution = Resolution("   \t  ", "a resolution that is nothing but blanks");

    public static readonly Provocation PaddedResolution = Resolution("  spaces before and after  ", "a resolution with blanks around it");

    public static readonly Provocation AssigneeUnknown = new(
        "an assignment to somebody who does not exist",
        static scene => new UpdateTicket(scene.Staff, scene.Ticket, AssignedTo: new(int.MaxValue)));

    public static readonly Provocation AssignmentByOwner = new(
        "an assignment by the owner",
        static scene => new UpdateTicket(scene.AsOwner, scene.Ticket, AssignedTo: new(scene.Owner)));

    public static readonly Provocation Deletion = new(
        "a deletion by staff of a ticket with comments",
        static scene => new DeleteTicket(scene.Staff, scene.Ticket));

    public static readonly Provocation DeletionByOwner = new(
        "a deletion by the owner",
        static scene => new DeleteTicket(scene.AsOwner, scene.Ticket));

    public static readonly Provocation DeletionOfMissing = new(
        "a deletion by staff of a ticket that does not exist",
        static scene => new DeleteTicket(scene.Staff, WriteScene.Missing));

    public static readonly Provocation Comment = new(
        "a comment",
        static scene => new AddComment(scene.AsOwner, scene.Ticket, "A comment"));

    public static readonly Provocation CommentByStaff = new(
        "a comment by staff",
        static scene => new AddComment(scene.Staff, scene.Ticket, "A comment"));

    public static readonly Provocation InternalComment = new(
        "an internal comment by staff",
        static scene => new AddComment(scene.Staff, scene.Ticket, "A comment", IsInternal: true));

    public static readonly Provocation InternalCommentByOwner = new(
        "a comment that its author, who is not staff, calls internal",
        static scene => new AddComment(scene.AsOwner, scene.Ticket, "A comment", IsInternal: true));

    public static readonly Provocation CommentOfLines = new(
        "a comment of several lines",
        static scene => new AddComment(scene.AsOwner, scene.Ticket, "one\r\ntwo\n\nthree and so on"));

    public static readonly Provocation CommentByStranger = new(
        "a comment on somebody else's ticket by a user",
        static scene => new AddComment(scene.AsStranger, scene.Ticket, "A comment"));

    public static readonly Provocation CommentOnMissing = new(
        "a comment on a ticket that does not exist",
        static scene => new AddComment(scene.AsStranger, WriteScene.Missing, "A comment"));

    private static CreateTicket New(WriteScene scene) => new(scene.AsOwner, "A subject", "A description");

    private static Provocation Resolution(string text, string what) =>
        new(what, scene => new UpdateTicket(scene.AsOwner, scene.Ticket, Resolution: new(text)));
}
