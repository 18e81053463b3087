using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Shadowing.AspNetCore.Problems;
using Shadowing.Model;

namespace Shadowing.AspNetCore.Http;

/// <summary>A body read strictly. The framework's own reading tells the caller our type names and not which member was wrong.</summary>
[SuppressMessage("Design", "CA1000", Justification = "The framework binds through static members.")]
public sealed record JsonBody<T>(T Value) : IBindableFromHttpContext<JsonBody<T>>, IEndpointParameterMetadataProvider
    where T : class
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <inheritdoc/>
    public static async ValueTask<JsonBody<T>?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        if (!IsJson(context.Request.ContentType)) throw new RefusedException(Refusal.UnsupportedMediaType);

        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
        var body = buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
        if (typeof(T).IsDefined(typeof(AnyTextAttribute)))
            body = Encoding.UTF8.GetBytes(PlainText.Json(Encoding.UTF8.GetString(body.Span)));
        var options = context.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions;
        return new(Parse(body.Span, options));
    }

    /// <inheritdoc/>
    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata(["application/json"], typeof(T)));

    private static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && (!type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    private static T Parse(ReadOnlySpan<byte> body, JsonSerializerOptions options)
    {
        if (body.StartsWith(ByteOrderMark)) body = body[ByteOrderMark.Length..];
        if (body.IsEmpty) throw Refused(ProblemCodes.MalformedJson, "The body is empty; it must be a JSON object.");
        if (!Utf8.IsValid(body)) throw Refused(ProblemCodes.MalformedJson, "The body is not valid UTF-8.");

        try
        {
            return JsonSerializer.Deserialize<T>(body, options) ?? throw NotAnObject();
        }
        catch (JsonException malformed) when (malformed.InnerException is JsonException)
        {
            throw Refused(ProblemCodes.MalformedJson, $"The body is not JSON, or is nested deeper than {options.MaxDepth} levels.");
        }
        catch (JsonException mistyped)
        {
            throw mistyped.Path is ['$', '.', .. var member]
                ? Refused(ProblemCodes.InvalidMember, $"{member}: the value is of the wrong type, out of its range, or not valid text.")
                : NotAnObject();
        }
    }

    private static RefusedException NotAnObject() => Refused(ProblemCodes.InvalidBody, "The body must be a JSON object.");

    private static RefusedException Refused(string code, string detail) => new(new(StatusCodes.Status400BadRequest, code, detail));
}

/// <summary>
/// A body whose texts are cleaned by <see cref="PlainText"/> where others are refused: what it asks for may not depend on them.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class AnyTextAttribute : Attribute;
