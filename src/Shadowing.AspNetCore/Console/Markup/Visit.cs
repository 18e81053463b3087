using System.Security.Claims;

namespace Shadowing.AspNetCore.Console.Markup;

/// <summary>Who looks at a page, and where the console is.</summary>
/// <param name="Root">Before every path of the console: <c>/shadow</c>.</param>
/// <param name="Mark">What a form of this session carries.</param>
internal sealed record Visit(HttpContext Context, string Root, string Mark)
{
    /// <summary>As the audit names the visitor.</summary>
    public string User => Context.User.Identity?.Name ?? "";

    public bool MayOperate => Context.User.FindFirstValue("role") == "operator";

    public CancellationToken Cancellation => Context.RequestAborted;

    /// <summary>One value of the query; null where it is absent or empty.</summary>
    public string? Query(string name) => Context.Request.Query[name] is [{ Length: > 0 } value] ? value : null;

    public string Operation(string operation) => $"{Root}/operations/{Uri.EscapeDataString(operation)}";

    public string Mismatch(string signature) => $"{Root}/mismatches/{Uri.EscapeDataString(signature)}";

    public string Mismatches(string operation) => $"{Root}/mismatches?operation={Uri.EscapeDataString(operation)}";

    public string Rollout(string operation) => $"{Root}/rollout/{Uri.EscapeDataString(operation)}";
}

/// <summary>A page: what is in its middle. The rest is the same for all.</summary>
/// <param name="Section">The entry of the menu that it belongs to.</param>
/// <param name="Main">Sent again whenever it changes.</param>
internal sealed record Page(string Title, string Section, Html Main, int Status = 200);
