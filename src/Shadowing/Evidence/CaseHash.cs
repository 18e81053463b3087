using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;

namespace Shadowing.Evidence;

/// <summary>
/// What makes two comparisons the same case: operation, shape, parameters and the control's answer. Equal on every replica.
/// </summary>
internal static class CaseHash
{
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _buffer;

    /// <exception cref="Exception">The request or the answer cannot be written down: then it is no case, and proves nothing.</exception>
    public static ulong Compute(string operation, string shape, object? parameters, object? answer, string? errorType)
    {
        var buffer = _buffer ??= new(4096);
        buffer.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            json.WriteStringValue(operation);
            json.WriteStringValue(shape);
            Write(json, parameters);
            Write(json, errorType is null ? answer : null);
            json.WriteStringValue(errorType);
            json.WriteEndArray();
            json.Flush();
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(buffer.WrittenSpan, hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }

    private static void Write(Utf8JsonWriter json, object? value) =>
        JsonSerializer.Serialize(json, value, value?.GetType() ?? typeof(object), CaseJson.Options);
}
