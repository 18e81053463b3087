using System.Text;
using System.Text.Json.Nodes;

namespace Ticketing.Api.Tests.Security;

/// <param name="PathAndQuery">As it is sent.</param>
internal sealed record FuzzRequest(string Method, string PathAndQuery, byte[]? Body)
{
    public string Path => PathAndQuery.Split('?')[0];

    public string Shown => $"{Method} {PathAndQuery} {(Body is null ? "" : Encoding.UTF8.GetString(Body[..Math.Min(Body.Length, 300)]))}";
}

/// <summary>A call of the description, of which requests are made.</summary>
internal sealed class FuzzCall
{
    private readonly string _method;
    private readonly string _path;
    private readonly string[] _query;
    private readonly JsonNode? _body;
    private readonly JsonNode _document;

    private FuzzCall(string method, string path, string[] query, JsonNode? body, JsonNode document) =>
        (_method, _path, _query, _body, _document) = (method, path, query, body, document);

    public bool IsOfUsers => _path.StartsWith("/api/", StringComparison.Ordinal);

    public bool IsOfOperators => _path.StartsWith("/shadow/v1/", StringComparison.Ordinal);

    public string Shown => $"{_method} {_path}";

    public static IReadOnlyList<FuzzCall> ReadAll(JsonNode document) =>
    [
        .. from path in document["paths"]!.AsObject()
           from method in path.Value!.AsObject()
           let names = method.Value!["parameters"]?.AsArray().Where(one => (string?)one!["in"] == "query").Select(one => (string)one!["name"]!)
           select new FuzzCall(
               method.Key.ToUpperInvariant(), path.Key, [.. names ?? []],
               method.Value!["requestBody"]?["content"]?["application/json"]?["schema"], document),
    ];

    public FuzzRequest Make(FuzzValues values)
    {
        var path = new StringBuilder();
        foreach (var step in _path.Split('/', StringSplitOptions.RemoveEmptyEntries))
            path.Append('/').Append(step.StartsWith('{') ? values.Segment() : step);
        if (path.Length == 0) path.Append('/');
        var query = _query.Where(_ => values.Sometimes(2)).Select(name => $"{name}={values.Query(name)}").ToList();
        if (query.Count > 0 && values.Sometimes(20)) query.Add(query[0]);
        var body = _body is null ? null : values.Mutated(Encoding.UTF8.GetBytes(Write(_body, values, depth: 0)));
        return new(_method, path + (query.Count == 0 ? "" : "?" + string.Join('&', query)), body);
    }

    /// <summary>JSON as the schema says, or not quite.</summary>
    private string Write(JsonNode? schema, FuzzValues values, int depth)
    {
        if ((string?)schema?["$ref"] is { } reference) schema = _document["components"]!["schemas"]![reference.Split('/')[^1]];
        if (schema is null || depth > 4 || values.Sometimes(12)) return values.AnyJson();
        if (schema["oneOf"] is JsonArray { Count: > 0 } any) return Write(any[^1], values, depth);
        if (schema["properties"] is JsonObject members)
        {
            var parts = members.Where(_ => values.Sometimes(2)).Select(member => $"{FuzzValues.Quoted(member.Key)}:{Write(member.Value, values, depth + 1)}").ToList();
            if (values.Sometimes(15)) parts.Add($"{FuzzValues.Quoted("unknown")}:{values.AnyJson()}");
            if (parts.Count > 0 && values.Sometimes(15)) parts.Add(parts[0]);
            return "{" + string.Join(',', parts) + "}";
        }

        var type = schema["type"] is JsonArray types ? (string?)types.FirstOrDefault(one => (string?)one != "null") : (string?)schema["type"];
        return type switch
        {
            "string" => values.JsonText(),
            "integer" => values.JsonNumber(),
            "boolean" => values.Sometimes(2) ? "true" : "false",
            "array" => "[" + string.Join(',', Enumerable.Range(0, values.Below(3)).Select(_ => Write(schema["items"], values, depth + 1))) + "]",
            _ => values.AnyJson(),
        };
    }
}
