using System.Collections.Concurrent;
using Ticketing.Api.Tests.Database;
using Ticketing.Demo.Database;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>The life of one ticket as its only user asked for it: opened, commented on, resolved and, every other one, deleted.</summary>
internal sealed class TicketStory(string subject, bool isDeleted)
{
    private int _answered;

    private TicketStory(string subject, int number) : this($"{subject} ticket {number}", isDeleted: number % 2 == 1)
    {
    }

    /// <summary>Whether the last request has got no answer: it may be done, or not.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Tells one story after the other until the service is gone.</summary>
    public static async Task TellAsync(TicketWriter writer, string subject, ConcurrentQueue<TicketStory> stories)
    {
        for (var number = 0; ; number++)
        {
            var story = new TicketStory(subject, number);
            stories.Enqueue(story);
            if (!await story.TellAsync(writer)) return;
        }
    }

    /// <summary>Every story must have ended as it was answered to, and no ticket may be there that is none of them.</summary>
    /// <param name="seeded">Tickets before the first story.</param>
    /// <returns>The rows, comments included, that the stories account for.</returns>
    public static async Task<int> CheckAsync(IEnumerable<TicketStory> stories, TicketingDatabase database, int seeded)
    {
        var lines = await Sql.LinesAsync(
            database.Owner,
            $"""
            select subject, status, resolution, (select string_agg(comment, ',') from ticket_comments c where c.ticket_id = t.id)
            from support_tickets t where id > {seeded}
            """);
        var stored = lines.Select(line => line.Split('|', 2)).ToDictionary(line => line[0], line => line[1]);
        foreach (var story in stories)
        {
            stored.Remove(story.Subject, out var ticket);
            var answered = story._answered;
            Assert.Contains(ticket, story.IsOpen ? [story.After(answered), story.After(answered + 1)] : (string?[])[story.After(answered)]);
        }

        Assert.Empty(stored);
        return lines.Length + lines.Count(line => line.Contains("A comment on ", StringComparison.Ordinal));
    }

    private string Subject => subject;

    private async Task<bool> TellAsync(TicketWriter writer)
    {
        try
        {
            var id = await writer.CreateAsync(subject);
            _answered++;
            await writer.CommentAsync(id, $"A comment on {subject}");
            _answered++;
            await writer.ResolveAsync(id, $"An end to {subject}");
            _answered++;
            if (!isDeleted) return true;
            await writer.DeleteAsync(id);
            _answered++;
            return true;
        }
        catch (HttpRequestException)
        {
            IsOpen = true;
            return false;
        }
    }

    /// <summary>The ticket once so many requests are done; null where it is not there.</summary>
    private string? After(int requests) => requests switch
    {
        1 => "open||",
        2 => $"open||A comment on {subject}",
        3 => $"resolved|An end to {subject}|A comment on {subject}",
        _ => null,
    };
}
