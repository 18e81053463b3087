using Shadowing.AspNetCore.Console.Markup;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>What an address named and is not there, or not any more.</summary>
internal static class Missing
{
    public static Page Page(Visit visit, string kind, string name, string section) => new($"No such {kind}", section, Html.From(
        $"""
        <div class="state"><h1>There is no such {kind}</h1><p><code>{name}</code> is not known here: it may have been forgotten after
        90 days, or the address is not complete.</p><p><a class="button" href="{visit.Root}">To the overview</a></p></div>
        """), StatusCodes.Status404NotFound);
}
