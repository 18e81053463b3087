using System.Text;

namespace Shadowing.AspNetCore.Console.Markup;

/// <summary>Sends pages, each under a policy that lets nothing run or load but the console's own files.</summary>
internal static class ConsoleAnswer
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        + "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types console";

    public static Task SendAsync(HttpContext context, Html page, int status)
    {
        Protect(context.Response.Headers);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(page.ToString(), Encoding.UTF8, context.RequestAborted);
    }

    public static Task ForbiddenAsync(HttpContext context, string root) => SendAsync(context, Layout.Bare(root, "Not allowed", Html.From(
        $"""
        <div class="state"><h1>This takes an operator</h1><p>You are signed in as <b>{context.User.Identity?.Name}</b>, who may look at
        everything and change nothing. Nothing was changed; the attempt stands in the audit.</p>
        <p><a class="button" href="{root}">Back to the overview</a></p></div>
        """)), StatusCodes.Status403Forbidden);

    public static void Protect(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
        headers.Vary = "Accept";
    }
}
