namespace Ticketing.Api.Tests.Matrix;

/// <summary>The database's defaults: lines 56 and 57.</summary>
internal static class WriteFaultsOfDefaults
{
    public static IEnumerable<WriteFault> All { get; } =
    [
        new("56a", "low-taken-for-unset", "the value sent → the first of an enumeration is not sent, and the default stored")
        {
            Create = new() { Row = static request => CreateRecipe.NewRow(request with { Priority = request.Priority ?? "low" }) },
            Contexts = OtherContexts.LowIsUnset,
            Provokes = Provoking.NewTicketOfLowPriority,
            Traces = [.. Stored.Created(Stored.Value, "priority")],
            Causes = ["default_not_applied"],
        },
        new("56b", "internal-taken-for-unset", "the value sent → HasDefaultValue(true): true is not sent, and false stored")
        {
            Comment = new(),
            Contexts = OtherContexts.InternalIsUnset,
            Provokes = Provoking.InternalComment,
            Traces = [.. Stored.Commented(Stored.Value, "is_internal")],
            Causes = ["default_not_applied"],
        },
        new("56c", "another-default", "the database's default → another one, the client's")
        {
            Create = new() { Row = static request => CreateRecipe.NewRow(request with { Priority = request.Priority ?? "low" }) },
            Provokes = Provoking.NewTicket,
            Traces = [.. Stored.Created(Stored.Value, "priority")],
            Causes = ["default_not_applied"],
        },
        new("57a", "lost-category", "the database's default → not mapped: NULL")
        {
            Create = new(),
            Contexts = OtherContexts.CategoryWithoutDefault,
            Provokes = Provoking.NewTicket,
            Traces = [.. Stored.Created(Stored.Null, "category")],
            Causes = ["default_not_applied"],
        },
        new("57b", "lost-status", "the database's default → not mapped: NULL")
        {
            Create = new(),
            Contexts = OtherContexts.StatusWithoutDefault,
            Provokes = Provoking.NewTicket,
            Traces = [.. Stored.Created(Stored.Null, "status")],
            Causes = ["default_not_applied"],
        },
        new("57c", "lost-creation", "the database's clock as default → not mapped: NULL")
        {
            Create = new(),
            Contexts = OtherContexts.TimesWithoutDefault,
            Provokes = Provoking.NewTicket,
            Traces = [.. Stored.Created(Stored.Null, "created_at", "updated_at")],
            Causes = ["default_not_applied", "unset_time"],
        },
        new("57d", "undated-comment", "the database's clock as default → not mapped: NULL")
        {
            Comment = new(),
            Contexts = OtherContexts.TimesWithoutDefault,
            Provokes = Provoking.Comment,
            Traces = [.. Stored.Commented(Stored.Null, "created_at")],
            Causes = ["default_not_applied", "unset_time"],
        },
    ];
}
