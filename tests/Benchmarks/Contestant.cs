using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using Ticketing.Demo;
using Ticketing.Demo.Database;
using Ticketing.Demo.Screen;
using Ticketing.Demo.Status;
using Ticketing.Demo.Traffic;

namespace Benchmarks;

/// <summary>A variant of the service on a database of its own, and somebody of the staff who writes to it.</summary>
internal sealed class Contestant : IAsyncDisposable
{
    private readonly Variant _variant;
    private readonly TicketingDatabase _database;
    private readonly DemoService _service;
    private readonly StatusClient _status;
    private readonly HttpClient _http;
    private readonly TimeProvider _clock;
    private readonly double _rate;
    private readonly int[] _tickets;
    private readonly Queue<int> _created = [];
    private readonly Dictionary<string, List<double>> _waited = [];
    private readonly Dictionary<string, List<double>> _held = [];
    private int _turn;
    private long _comparedBefore;

    private Contestant(Variant variant, TicketingDatabase database, DemoService service, StatusClient status, HttpClient http, int[] tickets, double rate, TimeProvider clock) =>
        (_variant, _database, _service, _status, _http, _tickets, _rate, _clock) = (variant, database, service, status, http, tickets, rate, clock);

    public static async Task<Contestant> StartAsync(Variant variant, TicketingDatabase database, double rate, TimeProvider clock, CancellationToken stop)
    {
        var secrets = DemoSecrets.Draw();
        var population = await Population.ReadAsync(database.Owner, stop);
        var service = await DemoService.StartAsync(
            0, database, secrets, new([]), new DemoLog(), stop, [.. variant.Settings, new("Shadowing:Replica", variant.Name)]);
        var status = new StatusClient([service.Address], secrets.ViewerToken, clock);
        var staff = new AccessTokens(secrets.SigningKey, clock).TokenFor(population.Staff[0]);
        var http = new HttpClient { BaseAddress = service.Address, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", staff) } };
        await status.ReadyAsync(stop);
        if (variant.Settings is not [{ Key: "Shadowing:Enabled" }]) await status.WhenAsync(now => now.Enabled, TimeSpan.FromMinutes(1), stop);
        return new(variant, database, service, status, http, [.. population.Tickets], rate, clock);
    }

    /// <summary>A block of traffic. Writes begin when they are due, whoever still waits, and each is to a ticket that nobody else has to do with.</summary>
    public async Task WriteAsync(TimeSpan block, bool isMeasured, CancellationToken stop)
    {
        if (isMeasured && _waited.Count == 0) _comparedBefore = await ComparedAsync(stop);
        List<Task<Write>> writes = [];
        var started = _clock.GetTimestamp();
        for (var due = TimeSpan.Zero; due < block; due += TimeSpan.FromSeconds(-Math.Log(1 - Random.Shared.NextDouble()) / _rate))
        {
            var now = _clock.GetElapsedTime(started);
            if (due > now) await Task.Delay(due - now, _clock, stop);
            writes.Add(Next(stop));
        }

        var done = await Task.WhenAll(writes);
        foreach (var created in done.Where(write => write.Operation == "create")) _created.Enqueue(created.Ticket);
        // What is compared late is not to burden the next.
        await _status.WhenAsync(now => now.IsSettled, TimeSpan.FromMinutes(1), stop);
        if (!isMeasured) return;
        foreach (var write in done) Of(_waited, write.Operation).Add(write.Waited.TotalMilliseconds);
        foreach (var operation in (string[])["update", "comment"]) Of(_held, operation).AddRange(await HeldAsync([.. done.Where(write => write.Operation == operation)], stop));
    }

    public async Task<Costs> CostsAsync(CancellationToken stop) => new(_variant, _waited, _held, await ComparedAsync(stop) - _comparedBefore);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _status.Dispose();
        await _service.DisposeAsync();
    }

    private Task<Write> Next(CancellationToken stop)
    {
        var turn = _turn++;
        // Tickets take turns, an update's never a comment's: the latest version of each is of the write that is measured.
        var ticket = _tickets[turn % _tickets.Length];
        return (turn % 4) switch
        {
            0 => SendAsync("create", 0, HttpMethod.Post, "/api/tickets", new { subject = "A subject", description = "A description of it" }, stop),
            1 => SendAsync("update", ticket, HttpMethod.Patch, $"/api/tickets/{ticket}", new { status = "in_progress", priority = "high" }, stop),
            2 => SendAsync("comment", ticket, HttpMethod.Post, $"/api/tickets/{ticket}/comments", new { comment = "A comment" }, stop),
            _ when _created.TryDequeue(out var created) => SendAsync("delete", created, HttpMethod.Delete, $"/api/tickets/{created}", null, stop),
            _ => SendAsync("create", 0, HttpMethod.Post, "/api/tickets", new { subject = "A subject", description = "A description of it" }, stop),
        };
    }

    private async Task<Write> SendAsync(string operation, int ticket, HttpMethod method, string path, object? body, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        var started = _clock.GetTimestamp();
        using var response = await _http.SendAsync(request, stop);
        var answer = await response.Content.ReadAsByteArrayAsync(stop);
        var waited = _clock.GetElapsedTime(started);
        if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"{method} {path} by {_variant.Name}: {(int)response.StatusCode}");
        if (operation == "create")
        {
            using var json = JsonDocument.Parse(answer);
            ticket = json.RootElement.GetProperty("id").GetInt32();
        }

        return new(operation, ticket, waited);
    }

    /// <summary>The clock of a write's transaction is what it set the ticket's to; the server noted when it was committed.</summary>
    private async Task<IReadOnlyList<double>> HeldAsync(IReadOnlyList<Write> writes, CancellationToken stop)
    {
        await using var connection = new NpgsqlConnection(_database.Owner);
        await connection.OpenAsync(stop);
        await using var command = new NpgsqlCommand(
            "select 1000 * extract(epoch from pg_xact_commit_timestamp(xmin)::timestamp - updated_at)::float8 from support_tickets where id = any($1)", connection);
        command.Parameters.Add(new() { Value = writes.Select(write => write.Ticket).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(stop);
        var held = new List<double>();
        while (await reader.ReadAsync(stop)) held.Add(reader.GetDouble(0));
        return held;
    }

    private async Task<long> ComparedAsync(CancellationToken stop) =>
        StatusClient.View(await _status.ReadAsync(stop))?.Operations.Sum(operation => operation.Compared) ?? 0;

    private static List<double> Of(Dictionary<string, List<double>> all, string operation) =>
        all.TryGetValue(operation, out var values) ? values : all[operation] = [];

    private sealed record Write(string Operation, int Ticket, TimeSpan Waited);
}
