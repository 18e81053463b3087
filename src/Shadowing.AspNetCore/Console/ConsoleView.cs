using System.Text;
using Npgsql;
using Shadowing.AspNetCore.Console.Markup;
using Shadowing.AspNetCore.Console.Signing;
using Shadowing.AspNetCore.Problems;
using Shadowing.Hosting;

namespace Shadowing.AspNetCore.Console;

/// <summary>
/// Sends a page: whole, or where a page that is open asks at the same address for events, its middle each time that it has changed.
/// </summary>
internal sealed partial class ConsoleView(
    Forgery forgery, ShadowingReport report, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<ConsoleView> logger)
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    /// <summary>A stream ends after this, and the page asks for a new one: so its session is looked at again.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    public Visit VisitOf(HttpContext context) => new(context, ConsoleCookie.RootOf(context), forgery.MarkOf(context.User));

    public async Task SendAsync(HttpContext context, Func<Visit, Task<Page>> show)
    {
        var visit = VisitOf(context);
        if (ConsoleCookie.IsStream(context))
        {
            await StreamAsync(context, visit, show);
            return;
        }

        await SendPageAsync(visit, await ShowAsync(visit, show), isLive: true);
    }

    /// <param name="isLive">Whether the page asks for what changes: not where it answers a form.</param>
    public Task SendPageAsync(Visit visit, Page page, bool isLive) =>
        ConsoleAnswer.SendAsync(visit.Context, Layout.Whole(visit, page, report.Replica, isLive), page.Status);

    /// <summary>The page, or one that says why there is none.</summary>
    public async Task<Page> ShowAsync(Visit visit, Func<Visit, Task<Page>> show)
    {
        try
        {
            return await show(visit);
        }
        catch (RefusedException refused)
        {
            return Failed("That was refused", refused.Refusal.Detail, refused.Refusal.Status);
        }
        catch (Exception away) when (away is NpgsqlException or TimeoutException)
        {
            LogAway(visit.Context.Request.Path, away.GetType().Name);
            return Failed("The evidence store cannot be reached",
                "What this page shows is kept there. Users are answered as before, and no exposure rises meanwhile.",
                StatusCodes.Status503ServiceUnavailable);
        }
#pragma warning disable CA1031 // A page that fails says so; the failure is logged, not shown.
        catch (Exception failure) when (!visit.Cancellation.IsCancellationRequested)
        {
            LogFailed(failure, visit.Context.Request.Path);
            return Failed("This page could not be made", "The service's log says why.", StatusCodes.Status500InternalServerError);
        }
#pragma warning restore CA1031

        Page Failed(string title, string text, int status) => new(title, "", Html.From(
            $"""
            <div class="state bad"><h1>{title}</h1><p>{text}</p><p><a class="button" href="{visit.Root}">To the overview</a></p></div>
            """), status);
    }

    private async Task StreamAsync(HttpContext context, Visit visit, Func<Visit, Task<Page>> show)
    {
        ConsoleAnswer.Protect(context.Response.Headers);
        context.Response.ContentType = "text/event-stream";
        // A proxy that collects what it passes on would hold the events back.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        using var limit = new CancellationTokenSource(Longest, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ends.Token, limit.Token);
        using var tick = new PeriodicTimer(Beat, clock);
        var last = "";
        try
        {
            // A page whose replica has ended asks another one after this time, in milliseconds: before it counts as without contact.
            await context.Response.WriteAsync("retry: 1000\n\n", either.Token);
            do
            {
                var main = (await ShowAsync(visit, show)).Main.ToString();
                await context.Response.WriteAsync(main == last ? "event: beat\ndata:\n\n" : Event(main), Encoding.UTF8, either.Token);
                await context.Response.Body.FlushAsync(either.Token);
                last = main;
            }
            while (await tick.WaitForNextTickAsync(either.Token));
        }
        catch (OperationCanceledException)
        {
            // The page is closed, the service stops, or the stream has lasted long enough.
        }
    }

    private static string Event(string main)
    {
        var text = new StringBuilder("event: main\n");
        foreach (var line in main.AsSpan().EnumerateLines()) text.Append("data: ").Append(line).Append('\n');
        return text.Append('\n').ToString();
    }

    [LoggerMessage(60, LogLevel.Warning, "The console could not show {Path}: the evidence store did not answer ({Failure}).")]
    private partial void LogAway(string path, string failure);

    [LoggerMessage(61, LogLevel.Error, "The console could not show {Path}.")]
    private partial void LogFailed(Exception failure, string path);
}
