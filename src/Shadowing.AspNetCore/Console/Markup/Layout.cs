namespace Shadowing.AspNetCore.Console.Markup;

/// <summary>What is around each page.</summary>
internal static class Layout
{
    private static readonly (string Section, string Path)[] Menu =
    [
        ("Overview", ""), ("Mismatches", "/mismatches"), ("Rollout", "/rollout"), ("Served log", "/served"), ("Audit", "/audit"),
        ("Sweeps", "/sweeps"), ("Health", "/health"),
    ];

    public static Html Whole(Visit visit, Page page, string replica, bool isLive) => Html.From(
        $"""
        {Head(visit.Root, page.Title)}
        <body{Html.If(isLive, () => Html.From($" data-live"))}>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
        <a class="brand" href="{visit.Root}"><svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
        <circle class="one" cx="6" cy="8" r="5"/><circle class="other" cx="10" cy="8" r="5"/></svg> Shadowing</a>
        <nav aria-label="Console"><ul>{Html.Join(Menu.Select(entry => Html.From(
            $"""<li><a href="{visit.Root}{entry.Path}"{Current(entry.Section == page.Section)}>{entry.Section}</a></li>""")))}</ul></nav>
        <form class="who" method="post" action="{visit.Root}/sign-out"><input type="hidden" name="mark" value="{visit.Mark}">
        <span>{visit.User} <span class="role">{(visit.MayOperate ? "operator" : "viewer")}</span></span>
        <button class="quiet">Sign out</button>
        </form>
        </header>
        <div id="contact" class="banner stale" role="status" hidden></div>
        <main id="main" tabindex="-1">{page.Main}</main>
        <footer>{Foot(replica)}<noscript> Without JavaScript a page shows the moment at which it was loaded.</noscript></footer>
        </body></html>
        """);

    /// <summary>A page for a visitor who has no session.</summary>
    public static Html Bare(string root, string title, Html main) => Html.From(
        $"""
        {Head(root, title)}
        <body class="bare"><main id="main">{main}</main></body></html>
        """);

    private static Html Head(string root, string title) => Html.From(
        $"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><title>{title} – Shadowing</title>
        <meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
        <link rel="stylesheet" href="{root}/assets/{ConsoleAssets.Style}"><link rel="icon" href="{root}/assets/{ConsoleAssets.Icon}">
        <script src="{root}/assets/{ConsoleAssets.Script}" defer></script></head>
        """);

    private static Html Foot(string replica) => Html.From($"""Answered by <b>{replica}</b>""");

    private static Html Current(bool isCurrent) => Html.If(isCurrent, () => Html.From($""" aria-current="page" """));
}
