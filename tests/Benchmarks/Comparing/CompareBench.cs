using System.Globalization;
using System.Text;
using System.Text.Json;
using Shadowing.Comparison;
using Ticketing;
using Ticketing.Api.Tickets;

namespace Benchmarks.Comparing;

/// <summary>What holding two answers against each other costs, beside equality written out by hand and beside comparing their JSON.</summary>
internal static class CompareBench
{
    private static readonly DateTime Day = new(2026, 3, 4, 5, 6, 7);

    /// <returns>A Markdown table.</returns>
    public static string Run(int rounds)
    {
        var report = new StringBuilder("# What comparing two answers costs\n\n").Append(CultureInfo.InvariantCulture, $"""
            {rounds} rounds of slices of 4 ms, in an order drawn anew each round; both answers are objects of their own throughout. Ratios are to
            equality written out by hand, medians of all rounds with 95 % by bootstrap.

            | answers | | ns | × by hand | 95 % | bytes |
            |---|---|---|---|---|---|

            """);
        var list = TicketExperiments.List.Rules;
        Add("page of 50", Page(50), Page(50), PlainEquality.Same, list, new ListTickets(new(1, "admin"), All: true, Limit: 50));
        Add("one with 5 comments", Answer(), Answer(), PlainEquality.Same, TicketExperiments.Get.Rules, request: null);
        Add<IReadOnlyList<TicketListItem>>("list of 1,000", Page(1_000).Tickets, Page(1_000).Tickets, PlainEquality.Same, null, null);
        return report.ToString();

        void Add<T>(string name, T control, T candidate, Func<T, T, bool> byHand, ComparisonRules? rules, object? request)
            where T : class
        {
            var (plain, ruled) = (new ResultComparer<T>(), new ResultComparer<T>(rules));
            List<Contender> contenders =
            [
                new("by hand", () => byHand(control, candidate)),
                new("by hand, again", () => byHand(control, candidate)),
                new("compared", () => plain.Compare(control, candidate).IsSame),
                .. rules is null ? (Contender[])[] : [new("compared with rules", () => ruled.Compare(control, candidate, request).IsSame)],
                new("as JSON", () => JsonElement.DeepEquals(
                    JsonSerializer.SerializeToElement(control), JsonSerializer.SerializeToElement(candidate))),
            ];
            if (contenders.Find(contender => !contender.Once()) is { } wrong) throw new InvalidOperationException($"{wrong.Name} finds {name} different.");
            Tell(name, Slices.Measure(contenders, rounds));
            if (Changed(candidate) is not { } changed) return;
            Tell($"{name}, one value differs", Slices.Measure(
            [
                new("by hand, equal", () => byHand(control, candidate)),
                new("equal, compared", () => plain.Compare(control, candidate).IsSame),
                new("compared", () => plain.Compare(control, changed).IsSame),
                new("compared with rules", () => ruled.Compare(control, changed, request).IsSame),
            ], rounds));
        }

        void Tell(string name, IReadOnlyList<SliceCost> costs)
        {
            foreach (var cost in costs)
            {
                report.Append(CultureInfo.InvariantCulture,
                    $"| {name} | {cost.Name} | {cost.Nanoseconds:N0} | {cost.Ratio:N2} | {cost.Low:N2}–{cost.High:N2} | {cost.Bytes:N0} |\n");
            }
        }
    }

    private static T? Changed<T>(T answer) where T : class => answer is TicketPage page
        ? (T)(object)(page with { Tickets = page.Tickets.Select(ticket => ticket.Id == 25 ? ticket with { Status = "closed" } : ticket).ToList() }) : null;

    private static TicketPage Page(int rows) => new(Enumerable.Range(1, rows).Select(Row).ToList(), rows, 1, rows);

    private static TicketListItem Row(int id) => new(
        id, id % 90, Text($"Printer {id} does not print"), Text($"It worked yesterday, and today number {id} does nothing at all."), Text("open"),
        Text("high"), id % 3 == 0 ? null : Text("technical"), id % 2 == 0 ? 7 : null, null, null, Day.AddMinutes(id), Day.AddMinutes(2 * id), id % 6,
        Text("Ada"), Text("Lovelace"), Text($"ada{id}@example.org"), id % 2 == 0 ? Text("Grace") : null, id % 2 == 0 ? Text("Hopper") : null);

    private static TicketAnswer Answer() => new(TicketAccess.Granted, new(
        4, 7, Text("Printer does not print"), Text("It worked yesterday, and today it does nothing at all."), Text("open"), Text("high"), null, 9,
        null, null, Day, Day.AddHours(1), Text("Ada"), Text("Lovelace"), Text("ada@example.org"), Text("Grace"), Text("Hopper"),
        Enumerable.Range(1, 5).Select(id => new TicketComment(
            id, 4, 7 + id, Text($"Comment {id}: it still does not print."), id % 2 == 0, Day.AddMinutes(id), Text("Ada"), Text("Lovelace"), Text("user"))).ToList()));

    // As what a driver reads: equal, and never the same object.
    private static string Text(string text) => new(text.AsSpan());
}
