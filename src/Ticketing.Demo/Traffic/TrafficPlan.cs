using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ticketing.Demo.Traffic;

/// <summary>Decides what is asked next: mostly what users and staff ask all day, now and then something odd but legal.</summary>
internal sealed class TrafficPlan
{
    private const int NobodysTicket = 2_147_000_001;
    private static readonly ImmutableArray<int> Ok = [200];

    // Characters as themselves rather than escaped: the service must read UTF-8.
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Population _population;
    private readonly Dice _dice;
    private readonly (int Weight, Func<PlannedRequest> Plan)[] _mix;
    private int _expended;
    private int _opened;

    public TrafficPlan(Population population, int seed)
    {
        (_population, _dice) = (population, new(seed));
        _mix =
        [
            (290, ListMine), (70, ListAll),
            (110, GetOwn), (80, GetAsStaff), (20, GetLongThread), (30, GetHot), (25, GetAnothers), (15, GetMissing),
            (130, Stats),
            (50, Create),
            (60, UpdateHot), (20, UpdateOwn), (5, UpdateForbidden), (5, UpdateAssigneeUnknown),
            (45, CommentHot), (15, CommentElsewhere),
            (14, DeleteCreated), (2, DeleteExpendable), (2, DeleteForbidden), (2, DeleteMissing),
        ];
    }

    public PlannedRequest Next() => _dice.Weighted(_mix)();

    private Actor Staff => _dice.Pick(_population.Staff);

    private Actor User => _dice.Below(10) switch
    {
        0 when !_population.Idle.IsEmpty => _dice.Pick(_population.Idle),
        < 4 => _dice.Pick(_population.Light),
        _ => _dice.Pick(_population.Heavy),
    };

    private Actor Owner => _dice.Pick(_dice.Chance(0.5) ? _population.Heavy : _population.Light);

    private PlannedRequest ListMine()
    {
        var query = new Query().Add("page", Page(deepest: 8)).Add("limit", Limit());
        if (_dice.Chance(0.35)) query.Add("status", _dice.Pick(Words.StatusFilters));
        if (_dice.Chance(0.25)) query.Add("priority", _dice.Pick(Words.PriorityFilters));
        if (_dice.Chance(0.2)) query.Add("scope", "mine");
        if (_dice.Chance(0.02)) query.Add("unknown", "parameter");
        return Get("tickets.list", _dice.Chance(0.15) ? Staff : User, $"/api/tickets{query}", Ok);
    }

    private PlannedRequest ListAll()
    {
        var query = new Query().Add("scope", "all").Add("page", Page(deepest: 40)).Add("limit", Limit());
        if (_dice.Chance(0.4)) query.Add("status", _dice.Pick(Words.StatusFilters));
        if (_dice.Chance(0.3)) query.Add("priority", _dice.Pick(Words.PriorityFilters));
        if (_dice.Chance(0.3)) query.Add(
            "assignedTo", Text(_dice.Chance(0.8) ? Staff.UserId : _dice.Chance(0.5) ? User.UserId : int.MaxValue));
        return Get("tickets.list", Staff, $"/api/tickets{query}", Ok);
    }

    private PlannedRequest GetOwn()
    {
        var owner = Owner;
        return Get("tickets.get", owner, Ticket(_dice.Pick(owner.Tickets)), Ok);
    }

    private PlannedRequest GetAsStaff() => Get("tickets.get", Staff, Ticket(_dice.Pick(_population.Tickets)), Ok);

    private PlannedRequest GetLongThread() => Get("tickets.get", Staff, Ticket(_dice.Pick(_population.LongThreads)), Ok);

    private PlannedRequest GetHot()
    {
        var owner = HotOwner;
        return Get("tickets.get", _dice.Chance(0.5) ? owner : Staff, Ticket(owner.Tickets[0]), Ok);
    }

    private PlannedRequest GetAnothers() => Get("tickets.get", User, Ticket(_dice.Pick(_population.Tickets)), [200, 403]);

    private PlannedRequest GetMissing() => Get("tickets.get", _dice.Chance(0.5) ? User : Staff, Ticket(_dice.Pick(Missing)), [404]);

    private PlannedRequest Stats() =>
        Get("tickets.stats", Staff, "/api/tickets/stats" + _dice.Pick([
            "", "?timeframe=7d", "?timeframe=7d", "?timeframe=7d", "?timeframe=7d", "?timeframe=30d", "?timeframe=90d", "?timeframe=1y",
        ]), Ok);

    private PlannedRequest Create()
    {
        var body = new Dictionary<string, object?>
        {
            ["subject"] = _dice.Pick(_dice.Chance(0.3) ? Words.OddSubjects : Words.Subjects),
            ["description"] = _dice.Pick(_dice.Chance(0.2) ? Words.OddDescriptions : Words.Descriptions)
                + (_opened++ % 7 == 0 ? "  \n" : ""),
        };
        if (_dice.Chance(0.6)) body["priority"] = _dice.Chance(0.1) ? null : _dice.Pick(Words.Priorities);
        if (_dice.Chance(0.6)) body["category"] = _dice.Chance(0.1) ? null : _dice.Pick(Words.Categories);
        if (_dice.Chance(0.05)) body["status"] = "closed"; // Not a member of the body: must be of no effect.
        return Post("tickets.create", _dice.Chance(0.1) ? Staff : User, "/api/tickets", body, [201]);
    }

    private PlannedRequest UpdateHot()
    {
        var owner = HotOwner;
        var byStaff = _dice.Chance(0.7);
        return Patch(byStaff ? Staff : owner, owner.Tickets[0], Change(byStaff), Ok);
    }

    private PlannedRequest UpdateOwn()
    {
        var owner = Owner;
        return Patch(owner, _dice.Pick(owner.Tickets), Change(byStaff: false), Ok);
    }

    private PlannedRequest UpdateForbidden() => _dice.Chance(0.5)
        ? _dice.Chance(0.5)
            ? Patch(HotOwner, _population.Hot[0], new() { ["assignedTo"] = Staff.UserId }, [403])
            : Patch(User, _dice.Pick(_population.Tickets), new() { ["status"] = "closed" }, [200, 403])
        : Patch(User, NobodysTicket, new() { ["status"] = "closed" }, [404]);

    private PlannedRequest UpdateAssigneeUnknown() =>
        Patch(Staff, _dice.Pick(_population.Tickets), new() { ["assignedTo"] = int.MaxValue }, [422]);

    private PlannedRequest CommentHot()
    {
        var owner = HotOwner;
        return Comment(_dice.Chance(0.6) ? Staff : owner, owner.Tickets[0], [201]);
    }

    private PlannedRequest CommentElsewhere() => _dice.Below(4) switch
    {
        0 => Comment(User, _dice.Pick(_population.Tickets), [201, 403]),
        1 => Comment(User, _dice.Pick(Missing), [404]),
        _ => Comment(Staff, _dice.Pick(_population.Closed), [201]),
    };

    private PlannedRequest DeleteCreated() => Delete(Staff, $"/api/tickets/{PlannedRequest.Created}", [204, 404]);

    private PlannedRequest DeleteExpendable() => _expended < _population.Expendable.Length
        ? Delete(Staff, Ticket(_population.Expendable[_expended++]), [204])
        : DeleteMissing();

    private PlannedRequest DeleteForbidden() => Delete(HotOwner, Ticket(_dice.Pick(_population.Hot)), [403]);

    private PlannedRequest DeleteMissing() => Delete(_dice.Chance(0.5) ? User : Staff, Ticket(_dice.Pick(Missing)), [404]);

    private Actor HotOwner => _population.Heavy[_dice.Below(_population.Hot.Length)];

    private static ImmutableArray<int> Missing => [NobodysTicket, int.MaxValue];

    private Dictionary<string, object?> Change(bool byStaff)
    {
        var body = new Dictionary<string, object?>();
        var kind = _dice.Below(10);
        if (kind < 5) body["status"] = _dice.Pick(Words.Statuses);
        if (kind is 4 or 5) body["priority"] = _dice.Pick(Words.Priorities);
        if (kind is 6 or 7 || body.Count == 0) body["resolution"] = _dice.Chance(0.2) ? null : _dice.Pick(Words.Resolutions);
        if (byStaff && kind > 6) body["assignedTo"] = _dice.Below(4) switch { 0 => null, 1 => Text(Staff.UserId), _ => Staff.UserId };
        return body;
    }

    private string? Page(int deepest) => _dice.Below(100) switch
    {
        < 60 => null,
        < 97 => Text(1 + _dice.Below(deepest)),
        < 99 => Text(500 + _dice.Below(5000)),
        _ => "20000000",
    };

    private string? Limit() => _dice.Below(10) switch { < 5 => null, 5 => "1", 6 => "100", _ => Text(1 + _dice.Below(100)) };

    private PlannedRequest Comment(Actor by, int ticket, ImmutableArray<int> expected)
    {
        var body = new Dictionary<string, object?> { ["comment"] = _dice.Pick(_dice.Chance(0.3) ? Words.OddComments : Words.Comments) };
        if (_dice.Chance(0.4)) body["isInternal"] = _dice.Chance(0.6);
        return Post("tickets.comment", by, $"{Ticket(ticket)}/comments", body, expected);
    }

    private static PlannedRequest Get(string operation, Actor by, string path, ImmutableArray<int> expected) =>
        new(operation, by, HttpMethod.Get, path, null, expected);

    private static PlannedRequest Delete(Actor by, string path, ImmutableArray<int> expected) =>
        new("tickets.delete", by, HttpMethod.Delete, path, null, expected);

    private static PlannedRequest Post(
        string operation, Actor by, string path, Dictionary<string, object?> body, ImmutableArray<int> expected) =>
        new(operation, by, HttpMethod.Post, path, JsonSerializer.Serialize(body, Json), expected);

    private static PlannedRequest Patch(Actor by, int ticket, Dictionary<string, object?> body, ImmutableArray<int> expected) =>
        new("tickets.update", by, HttpMethod.Patch, Ticket(ticket), JsonSerializer.Serialize(body, Json), expected);

    private static string Ticket(int id) => $"/api/tickets/{Text(id)}";

    private static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
