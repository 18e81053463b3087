using System.Text.RegularExpressions;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>Texts that are stored as others, and columns that nobody may set: lines 26, 66 and 67.</summary>
internal static partial class WriteFaultsOfValues
{
    public static IEnumerable<WriteFault> All { get; } =
    [
        new("26a", "empty-stored-as-null", "'' → a converter makes it NULL")
        {
            Update = new(),
            Contexts = OtherContexts.EmptyIsNull,
            Provokes = Provoking.EmptyResolution,
            Traces = [.. Stored.Updated(Stored.Null, "resolution")],
            Causes = ["empty_to_null"],
        },
        new("26b", "blank-stored-as-null", "blanks → IsNullOrWhiteSpace takes them for none")
        {
            Update = new() { Values = static (set, request) => new UpdateRecipe().Values(set, request with
            {
                Resolution = request.Resolution is { } text ? new(string.IsNullOrWhiteSpace(text.Value) ? null : text.Value) : null,
            }) },
            Provokes = Provoking.BlankResolution,
            Traces = [.. Stored.Updated(Stored.Null, "resolution")],
            Causes = ["empty_to_null"],
        },
        new("66a", "blank-subject", "a subject of zero-width characters → cleaned, and stored as ''")
        {
            Create = new() { Row = static request =>
                CreateRecipe.NewRow(request with { Subject = Invisible().Replace(request.Subject, "").Trim() }) },
            Provokes = Provoking.NewTicketOfInvisibleSubject,
            Traces = [.. Stored.Created(Stored.Value, "subject")],
            Causes = ["trimmed_text", "text_normalization"],
        },
        new("66b", "trimmed-subject", "a subject of blanks → trimmed, and stored as ''")
        {
            Create = new() { Row = static request => CreateRecipe.NewRow(request with { Subject = request.Subject.Trim() }) },
            Provokes = Provoking.NewTicketOfBlankSubject,
            Traces = [.. Stored.Created(Stored.Value, "subject")],
            Causes = ["trimmed_text"],
        },
        new("66c", "trimmed-resolution", "a text as it came → trimmed")
        {
            Update = new() { Values = static (set, request) => new UpdateRecipe().Values(set, request with
            {
                Resolution = request.Resolution is { } resolution ? new(resolution.Value?.Trim()) : null,
            }) },
            Provokes = Provoking.PaddedResolution,
            Traces = [.. Stored.Updated(Stored.Value, "resolution")],
            Causes = ["trimmed_text"],
        },
        new("66d", "joined-lines", "a comment as it came → its lines joined into one")
        {
            Comment = new() { Row = static request => CommentRecipe.NewRow(request with { Text = Blanks().Replace(request.Text, " ") }) },
            Provokes = Provoking.CommentOfLines,
            Traces = [.. Stored.Commented(Stored.Value, "comment")],
            Causes = ["trimmed_text"],
        },
        new("66e", "cut-subject", "an over-long subject refused with 22001 → cut to fit")
        {
            Create = new() { Row = static request => CreateRecipe.NewRow(request with { Subject = Cut(request.Subject) }) },
            Provokes = Provoking.NewTicketOfLongSubject,
            Traces = [Trace.Failure, Stored.ExtraTicket],
            Causes = ["accepted_what_is_refused", "truncated_text"],
        },
        new("66f", "cut-description", "a text of any length → cut to 255 characters")
        {
            Create = new() { Row = static request => CreateRecipe.NewRow(request with { Description = Cut(request.Description) }) },
            Provokes = Provoking.NewTicketOfLongDescription,
            Traces = [.. Stored.Created(Stored.Value, "description")],
            Causes = ["truncated_text"],
        },
        new("67a", "internal-for-everybody", "is_internal for staff only → whatever the body says")
        {
            Comment = new() { Row = static request =>
            {
                var row = CommentRecipe.NewRow(request);
                row.IsInternal = request.IsInternal;
                return row;
            } },
            Provokes = Provoking.InternalCommentByOwner,
            Traces = [.. Stored.Commented(Stored.Value, "is_internal")],
            Causes = ["mass_assignment"],
        },
        new("67b", "owner-overwritten", "the named columns → and user_id from the caller, who has a member of that name")
        {
            Update = new() { Values = static (set, request) =>
            {
                new UpdateRecipe().Values(set, request);
                set.SetProperty(ticket => ticket.UserId, request.Caller.UserId);
            } },
            Provokes = Provoking.ChangeByStaff,
            Traces = [.. Stored.Updated(Stored.Value, "user_id")],
            Causes = ["mass_assignment", "overwritten_columns"],
        },
        new("67c", "assigned-on-creation", "assigned_to is not set → to whoever creates the ticket")
        {
            Create = new() { Row = static request =>
            {
                var row = CreateRecipe.NewRow(request);
                row.AssignedTo = request.Caller.UserId;
                return row;
            } },
            Provokes = Provoking.NewTicket,
            Traces = [.. Stored.Created(Stored.Null, "assigned_to")],
            Causes = ["mass_assignment", "overwritten_columns"],
        },
    ];

    // Never through the middle of a character: that would fail rather than be stored.
    private static string Cut(string text) => text.Length <= 255 ? text : text[..(char.IsHighSurrogate(text[254]) ? 254 : 255)];

    [GeneratedRegex(@"\p{Cf}")]
    private static partial Regex Invisible();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
