using System.ComponentModel;
using Microsoft.AspNetCore.Mvc;
using Shadowing.AspNetCore.Http;
using Shadowing.AspNetCore.Problems;
using Ticketing.Api.Accounts;
using Ticketing.Api.Problems;

namespace Ticketing.Api.Tickets;

/// <summary>The query of <c>GET /api/tickets</c>, as text: numbers are judged by stricter rules than the framework's.</summary>
internal sealed record ListQuery(
    HttpRequest Request,
    [property: FromQuery(Name = "scope"), Description("mine or all; mine if absent. all is for staff.")] string? Scope,
    [property: FromQuery(Name = "status"), Description("Only tickets of exactly this status; at most 50 characters, empty for any.")]
        string? Status,
    [property: FromQuery(Name = "priority"), Description("Only tickets of exactly this priority; at most 50 characters, empty for any.")]
        string? Priority,
    [property: FromQuery(Name = "assignedTo"), Description("Only tickets assigned to the user of this id; needs scope=all.")]
        string? AssignedTo,
    [property: FromQuery(Name = "page"), Description("A whole number from 1 to 20000000; 1 if absent.")] string? Page,
    [property: FromQuery(Name = "limit"), Description("A whole number from 1 to 100; 20 if absent.")] string? Limit)
{
    // Beyond it, the offset of a page of 100 no longer fits an int.
    private const int LastPage = 20_000_000;

    public ListTickets By(Caller caller)
    {
        var rules = new InputRules(ProblemCodes.InvalidParameter);
        rules.Once(Request, "scope", "status", "priority", "assignedTo", "page", "limit");
        var all = rules.OneOf("scope", Scope, "mine", "all") is "all";
        var query = new ListTickets(
            caller,
            all,
            rules.Verbatim("status", Status, 50),
            rules.Verbatim("priority", Priority, 50),
            rules.WholeNumber("assignedTo", AssignedTo),
            rules.WholeNumber("page", Page, LastPage) ?? 1,
            rules.WholeNumber("limit", Limit, 100) ?? 20);
        if (AssignedTo is not null && !all) rules.Refuse("assignedTo", "needs scope=all");
        rules.Settle();
        return all && !caller.IsStaff ? throw new RefusedException(TicketRefusals.Forbidden) : query;
    }
}

/// <summary>The query of <c>GET /api/tickets/stats</c>.</summary>
internal sealed record StatsQuery(
    HttpRequest Request,
    [property: FromQuery(Name = "timeframe"), Description("7d, 30d, 90d or 1y; 30d if absent.")] string? Timeframe)
{
    public GetStats By(CurrentUser user)
    {
        var rules = new InputRules(ProblemCodes.InvalidParameter);
        rules.Once(Request, "timeframe");
        rules.OneOf("timeframe", Timeframe, "7d", "30d", "90d", "1y");
        rules.Settle();
        if (!user.Caller.IsStaff) throw new RefusedException(TicketRefusals.Forbidden);
        return new(user.Caller, Timeframe switch
        {
            "7d" => global::Ticketing.Timeframe.Week,
            "90d" => global::Ticketing.Timeframe.Quarter,
            "1y" => global::Ticketing.Timeframe.Year,
            _ => global::Ticketing.Timeframe.Month,
        }, user.Now);
    }
}

internal static class TicketId
{
    public static int ParseId(string text)
    {
        var rules = new InputRules(ProblemCodes.InvalidParameter);
        var id = rules.WholeNumber("id", text);
        rules.Settle();
        return id.GetValueOrDefault();
    }
}
