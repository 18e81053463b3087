using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Shadowing.AspNetCore.Console.Markup;

/// <summary>One page of a long list.</summary>
/// <param name="Found">How many entries the filter lets through, of <paramref name="All"/>.</param>
/// <param name="First">The place of the first one shown, from 0.</param>
internal sealed record Paged<T>(IReadOnlyList<T> Shown, int First, int Found, int All);

/// <summary>
/// Keeps pages small, however many entries a list has: so many are shown, the rest is on further pages, and a part of a name finds one.
/// A list that fits on one page is shown as it is.
/// </summary>
internal static class Paging
{
    private const string Number = "page";
    private const string Part = "find";

    /// <summary>Takes the page that the visitor has asked for; the last one where there are fewer.</summary>
    /// <param name="rank">What stands first where the list does not fit on one page: the lowest.</param>
    /// <param name="most">How many entries a page shows.</param>
    public static Paged<T> Take<T>(Visit visit, IReadOnlyCollection<T> all, Func<T, string> nameOf, Func<T, int> rank, int most)
    {
        var part = visit.Query(Part);
        T[] found = [.. all.Where(one => part is null || nameOf(one).Contains(part, StringComparison.OrdinalIgnoreCase))];
        if (found.Length <= most) return new(found, 0, found.Length, all.Count);
        _ = int.TryParse(visit.Query(Number), NumberStyles.None, CultureInfo.InvariantCulture, out var asked);
        var first = (Math.Clamp(asked, 1, Pages(found.Length, most)) - 1) * most;
        return new([.. found.OrderBy(rank).Skip(first).Take(most)], first, found.Length, all.Count);
    }

    /// <summary>The filter and the links to the other pages; nothing where the whole list is shown.</summary>
    /// <param name="what">What the list is of: <c>operations</c>.</param>
    /// <param name="most">As for <see cref="Take"/>.</param>
    public static Html Controls<T>(Visit visit, Paged<T> page, string what, int most)
    {
        if (page.All <= most) return Html.Empty;
        var (at, pages) = ((page.First / most) + 1, Pages(page.Found, most));
        return Html.From(
            $"""
            <form class="filters" method="get">{Kept(visit)}<label>Part of a name <input name="{Part}" type="search" autocomplete="off"
            value="{visit.Query(Part)}"></label><button>Show</button></form>
            <nav class="pages" aria-label="Pages of {what}"><span>{Words()}</span>{Link(at - 1, "Previous page", at > 1)}{Link(
                at + 1, "Next page", at < pages)}</nav>
            """);

        Html Link(int to, string words, bool isThere) => Html.If(isThere, () => Html.From(
            $"""<a href="{Address(visit, to)}">{words}</a>"""));

        string Words() => page.Found == 0 ? $"None of {Show.Count(page.All)} {what} has such a name."
            : $"{Show.Count(page.First + 1)} to {Show.Count(page.First + page.Shown.Count)} of {Show.Count(page.Found)} {what}"
                + (page.Found == page.All ? "" : $" found, of {Show.Count(page.All)}") + (pages > 1 ? ", what blocks first" : "");
    }

    private static int Pages(int entries, int most) => Math.Max(1, (entries + most - 1) / most);

    /// <summary>Every other part of the address stays when the filter is sent.</summary>
    private static Html Kept(Visit visit) => Html.Join(visit.Context.Request.Query
        .Where(entry => entry.Key is not (Part or Number or "said") && entry.Value is [{ Length: > 0 }])
        .Select(entry => Html.From($"""<input type="hidden" name="{entry.Key}" value="{entry.Value[0]}">""")));

    private static string Address(Visit visit, int page)
    {
        var request = visit.Context.Request;
        return request.PathBase + request.Path + QueryString.Create(request.Query.Where(entry => entry.Key is not (Number or "said"))
            .Append(new(Number, new StringValues(page.ToString(CultureInfo.InvariantCulture)))));
    }
}
