using System.Text;

namespace Ticketing.Api.Tests.Http;

/// <summary>A request to be refused at the edge; <c>{id}</c> in the path is a ticket that the caller may change.</summary>
internal sealed record BadRequest(string Name, string Method, string Path, byte[]? Body, string? ContentType, int Status, string Code)
{
    public static IReadOnlyDictionary<string, BadRequest> All { get; } = Bodies().Concat(Patches()).Concat(Comments()).Concat(Urls()).ToDictionary(one => one.Name);

    public override string ToString() => Name;

    private static IEnumerable<BadRequest> Bodies()
    {
        yield return Post("malformed JSON", "{\"subject\": ", "malformed_json");
        yield return Post("empty", "", "malformed_json");
        yield return Post("blank", "  ", "malformed_json");
        yield return Post("null", "null", "invalid_body");
        yield return Post("array", "[]", "invalid_body");
        yield return Post("string", "\"ticket\"", "invalid_body");
        yield return Post("number", "7", "invalid_body");
        yield return Post("trailing garbage", Ticket() + "x", "malformed_json");
        yield return Post("two documents", Ticket() + Ticket(), "malformed_json");
        yield return Post("comments", "/* here */" + Ticket(), "malformed_json");
        yield return Post("trailing comma", Ticket().Replace("}", ",}", StringComparison.Ordinal), "malformed_json");
        yield return Post("single quotes", Ticket().Replace('"', '\''), "malformed_json");
        yield return Post("subject of a wrong type", Ticket("5"), "invalid_member");
        yield return Post("subject an object", Ticket("{}"), "invalid_member");
        yield return Post("subject missing", "{\"description\":\"A description\"}", "invalid_member");
        yield return Post("subject null", Ticket("null"), "invalid_member");
        yield return Post("subject in another case", Ticket().Replace("subject", "Subject", StringComparison.Ordinal), "invalid_member");
        yield return Post("subject whitespace only", Ticket("\" \\t\\n\\u00a0\\u3000      \""), "invalid_member");
        yield return Post("subject too short once trimmed", Ticket("\"  four   \""), "invalid_member");
        yield return Post("subject too long", Ticket($"\"{new string('s', 201)}\""), "invalid_member");
        yield return Post("description too short", Ticket(description: "\"too short\""), "invalid_member");
        yield return Post("description too long", Ticket(description: $"\"{new string('d', 2001)}\""), "invalid_member");
        yield return Post("NUL in the subject", Ticket("\"subject\\u0000\""), "invalid_member");
        yield return Post("NUL in the description", Ticket(description: "\"a long \\u0000 description\""), "invalid_member");
        yield return Post("lone high surrogate", Ticket("\"subject \\ud83d\""), "invalid_member");
        yield return Post("lone low surrogate", Ticket("\"subject \\udca9\""), "invalid_member");
        yield return Post("unknown priority", Ticket(more: ",\"priority\":\"critical\""), "invalid_member");
        yield return Post("priority in another case", Ticket(more: ",\"priority\":\"High\""), "invalid_member");
        yield return Post("priority with a blank", Ticket(more: ",\"priority\":\"high \""), "invalid_member");
        yield return Post("priority empty", Ticket(more: ",\"priority\":\"\""), "invalid_member");
        yield return Post("priority a number", Ticket(more: ",\"priority\":1"), "invalid_member");
        yield return Post("unknown category", Ticket(more: ",\"category\":\"billing\""), "invalid_member");
        yield return Post("category in another case", Ticket(more: ",\"category\":\"BUG\""), "invalid_member");
        yield return Post("depth 200", Ticket(more: $",\"x\":{new string('[', 200)}{new string(']', 200)}"), "malformed_json");
        yield return Post("2 MB", Ticket(description: $"\"{new string('d', 2 << 20)}\""), "body_too_large") with { Status = 413 };
        yield return Post("just over the limit", Ticket(description: $"\"{new string('d', 64 << 10)}\""), "body_too_large") with { Status = 413 };
        yield return Post("invalid UTF-8", "", "malformed_json") with { Body = [.. "{\"subject\":\"sub\""u8, 0xC3, 0x28, .. "\"}"u8] };
        yield return Post("invalid UTF-8 in an unknown member", "", "malformed_json") with { Body = [.. "{\"x\":\""u8, 0xFF, .. "\"}"u8] };
        yield return Post("UTF-16 unannounced", "", "malformed_json") with { Body = [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Ticket())] };
        yield return Post("UTF-16", "", "unsupported_media_type") with
        {
            Body = Encoding.Unicode.GetBytes(Ticket()),
            ContentType = "application/json; charset=utf-16",
            Status = 415,
        };
        yield return Post("latin-1", Ticket(), "unsupported_media_type") with { ContentType = "application/json; charset=iso-8859-1", Status = 415 };
        yield return Post("text/plain", Ticket(), "unsupported_media_type") with { ContentType = "text/plain", Status = 415 };
        yield return Post("form", "subject=s", "unsupported_media_type") with { ContentType = "application/x-www-form-urlencoded", Status = 415 };
        yield return Post("no media type", Ticket(), "unsupported_media_type") with { ContentType = null, Status = 415 };
    }

    private static IEnumerable<BadRequest> Patches()
    {
        yield return Patch("{}", "nothing_to_update");
        yield return Patch("{\"subject\":\"Not to be changed\",\"userId\":1}", "nothing_to_update");
        yield return Patch("{\"status\":null}", "invalid_member");
        yield return Patch("{\"priority\":null}", "invalid_member");
        yield return Patch("{\"status\":\"OPEN\"}", "invalid_member");
        yield return Patch("{\"status\":\"done\"}", "invalid_member");
        yield return Patch("{\"status\":\"open\",\"priority\":\"none\"}", "invalid_member");
        yield return Patch("{\"resolution\":7}", "invalid_member");
        yield return Patch("{\"resolution\":\"nul \\u0000\"}", "invalid_member");
        yield return Patch($"{{\"resolution\":\"{new string('r', 5001)}\"}}", "invalid_member") with { Name = "resolution too long" };
        foreach (var value in (string[])["0", "-1", "2147483648", "1e2", "1.5", "true", "[]", "\"abc\"", "\"1e2\"", "\"\"", "\"NaN\"", "\"99999999999\""])
            yield return Patch($"{{\"assignedTo\":{value}}}", "invalid_member");
        yield return Patch("{\"assignedTo\":NaN}", "malformed_json");
        yield return Patch("{\"assignedTo\":01}", "malformed_json");
        yield return Patch("{\"assignedTo\":+5}", "malformed_json");
    }

    private static IEnumerable<BadRequest> Comments()
    {
        foreach (var body in (string[])["{}", "{\"comment\":null}", "{\"comment\":\"\"}", "{\"comment\":\" \\r\\n \"}", "{\"comment\":\"\\u0000\"}",
            "{\"comment\":\"c\",\"isInternal\":\"true\"}", "{\"comment\":\"c\",\"isInternal\":1}", $"{{\"comment\":\"{new string('c', 1001)}\"}}"])
        {
            yield return Of("POST", "/api/tickets/{id}/comments", body, "invalid_member") with { Name = "comment " + body[..Math.Min(40, body.Length)] };
        }
    }

    private static IEnumerable<BadRequest> Urls()
    {
        foreach (var id in (string[])["2147483648", "99999999999999999999", "-1", "+5", "01", "0", "1abc", "1.0", "0x10", "%201", "%D9%A1", "1%2F2", "'%20or%201=1"])
        {
            yield return Get($"/api/tickets/{id}");
            yield return Of("DELETE", $"/api/tickets/{id}", null, "invalid_parameter");
            yield return Of("PATCH", $"/api/tickets/{id}", "{\"status\":\"open\"}", "invalid_parameter");
            yield return Of("POST", $"/api/tickets/{id}/comments", "{\"comment\":\"c\"}", "invalid_parameter");
        }

        foreach (var query in (string[])["page=-1", "page=0", "page=abc", "page=", "page=01", "page=%201", "page=1e3", "page=20000001", "page=99999999999",
            "limit=0", "limit=-3", "limit=2.5", "limit=1000000000", "limit=101", "limit=", "page=1&page=2", "page=1&PAGE=1", "status=open&status=open",
            "status=%00", "priority=a%00b", "scope=everything", "scope=ALL", "scope=", "assignedTo=1", "scope=mine&assignedTo=1", "scope=all&assignedTo=x",
            "scope=all&assignedTo=0"])
        {
            yield return Get($"/api/tickets?{query}");
        }

        yield return Get($"/api/tickets?status={new string('s', 51)}");
        foreach (var timeframe in (string[])["1d", "7D", "30", "", "7d%20", "7d&timeframe=7d", "-1"]) yield return Get($"/api/tickets/stats?timeframe={timeframe}");
        yield return Get($"/api/tickets?x={new string('x', 9000)}") with { Name = "9 kB URL", Status = 414, Code = "url_too_long" };
        yield return Get("/api/nothing") with { Status = 404, Code = "route_not_found" };
        yield return Of("PUT", "/api/tickets/{id}", Ticket(), "method_not_allowed") with { Status = 405 };
        yield return Of("DELETE", "/api/tickets", null, "method_not_allowed") with { Status = 405 };
    }

    private static string Ticket(string subject = "\"A subject\"", string description = "\"A description\"", string more = "") =>
        $"{{\"subject\":{subject},\"description\":{description}{more}}}";

    private static BadRequest Post(string name, string body, string code) => Of("POST", "/api/tickets", body, code) with { Name = "body " + name };

    private static BadRequest Patch(string body, string code) => Of("PATCH", "/api/tickets/{id}", body, code) with { Name = "patch " + body };

    private static BadRequest Get(string path) => Of("GET", path, null, "invalid_parameter");

    private static BadRequest Of(string method, string path, string? body, string code) =>
        new($"{method} {path}", method, path, body is null ? null : Encoding.UTF8.GetBytes(body), "application/json", 400, code);
}
