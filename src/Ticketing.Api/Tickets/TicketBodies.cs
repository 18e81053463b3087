using System.ComponentModel;
using System.Text.Json.Serialization;
using Shadowing.AspNetCore.Http;
using Shadowing.AspNetCore.Problems;
using Ticketing.Api.Problems;

namespace Ticketing.Api.Tickets;

/// <summary>The body of <c>POST /api/tickets</c>.</summary>
public sealed record NewTicket(
    [property: Description("5 to 200 characters once trimmed; required.")] string? Subject,
    [property: Description("10 to 2000 characters once trimmed; required.")] string? Description,
    [property: Description("low, medium, high or urgent; medium if absent or null.")] string? Priority,
    [property: Description("general, bug, feature_request or technical_support; general if absent or null.")] string? Category)
{
    internal CreateTicket By(Caller caller)
    {
        var rules = new InputRules(ProblemCodes.InvalidMember);
        var command = new CreateTicket(
            caller,
            rules.Text("subject", Subject, 5, 200),
            rules.Text("description", Description, 10, 2000),
            rules.OneOf("priority", Priority, TicketWords.Priorities),
            rules.OneOf("category", Category, TicketWords.Categories));
        rules.Settle();
        return command;
    }
}

/// <summary>The body of <c>POST /api/tickets/{id}/comments</c>.</summary>
public sealed record NewComment(
    [property: Description("1 to 1000 characters once trimmed; required.")] string? Comment,
    [property: Description("For staff only; anybody else's comment is public whatever this says.")] bool? IsInternal)
{
    internal AddComment By(Caller caller, int ticketId)
    {
        var rules = new InputRules(ProblemCodes.InvalidMember);
        var command = new AddComment(caller, ticketId, rules.Text("comment", Comment, 1, 1000), IsInternal ?? false);
        rules.Settle();
        return command;
    }
}

/// <summary>The body of <c>PATCH /api/tickets/{id}</c>. A member that is absent is left as it is, which null is not.</summary>
public sealed record TicketPatch
{
    private bool _status, _priority, _assignedTo, _resolution;

    /// <summary>Cannot be null.</summary>
    [Description("open, in_progress, resolved or closed.")]
    public string? Status { get; init => (field, _status) = (value, true); }

    /// <summary>Cannot be null.</summary>
    [Description("low, medium, high or urgent.")]
    public string? Priority { get; init => (field, _priority) = (value, true); }

    /// <summary>Null unassigns.</summary>
    [Description("The id of a user, or null for nobody; for staff only.")]
    [JsonNumberHandling(JsonNumberHandling.AllowReadingFromString)]
    public int? AssignedTo { get; init => (field, _assignedTo) = (value, true); }

    /// <summary>Null clears.</summary>
    [Description("At most 5000 characters, or null for none.")]
    public string? Resolution { get; init => (field, _resolution) = (value, true); }

    internal UpdateTicket By(Caller caller, int ticketId)
    {
        if (!(_status || _priority || _assignedTo || _resolution)) throw new RefusedException(TicketRefusals.NothingToUpdate);

        var rules = new InputRules(ProblemCodes.InvalidMember);
        if (_status && Status is null) rules.Refuse("status", "must not be null");
        if (_priority && Priority is null) rules.Refuse("priority", "must not be null");
        if (AssignedTo < 1) rules.Refuse("assignedTo", "must be the id of a user, from 1, or null");
        var command = new UpdateTicket(
            caller,
            ticketId,
            rules.OneOf("status", Status, TicketWords.Statuses),
            rules.OneOf("priority", Priority, TicketWords.Priorities),
            _assignedTo ? new SetTo<int?>(AssignedTo) : null,
            _resolution ? new SetTo<string?>(rules.Verbatim("resolution", Resolution, 5000)) : null);
        rules.Settle();
        return command;
    }
}

/// <summary>The closed sets of values that are accepted; rows may hold others.</summary>
internal static class TicketWords
{
    public static readonly string[] Statuses = ["open", "in_progress", "resolved", "closed"];
    public static readonly string[] Priorities = ["low", "medium", "high", "urgent"];
    public static readonly string[] Categories = ["general", "bug", "feature_request", "technical_support"];
}
