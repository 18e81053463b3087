using System.Text.Json;
using Shadowing.Experiments;

namespace Shadowing.Recording;

/// <summary>A request of a recording.</summary>
/// <param name="Json">The request as JSON, with the values that the user sent.</param>
internal sealed record RecordedRequest(string Operation, byte[] Json)
{
    private static readonly JsonSerializerOptions Form = new() { IncludeFields = true };

    /// <returns>Null where the request's type cannot be written and read again unchanged.</returns>
    public static RecordedRequest? Write(Experiment experiment, object request)
    {
        try
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(request, experiment.RequestType, Form);
            var again = JsonSerializer.SerializeToUtf8Bytes(
                JsonSerializer.Deserialize(json, experiment.RequestType, Form), experiment.RequestType, Form);
            return json.AsSpan().SequenceEqual(again) ? new(experiment.Operation, json) : null;
        }
        catch (Exception unfit) when (unfit is JsonException or NotSupportedException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <returns>Null where this build's request has another form.</returns>
    public TRequest? Read<TRequest>()
    {
        try
        {
            return JsonSerializer.Deserialize<TRequest>(Json, Form);
        }
        catch (Exception unfit) when (unfit is JsonException or NotSupportedException)
        {
            return default;
        }
    }
}
