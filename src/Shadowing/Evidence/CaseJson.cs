using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Shadowing.Comparison;

namespace Shadowing.Evidence;

/// <summary>How an answer is written down to tell cases apart: with everything that tells it from another, or not at all.</summary>
internal static class CaseJson
{
    public static readonly JsonSerializerOptions Options = new()
    {
        // The members of tuples are fields.
        IncludeFields = true,
        Converters = { new ByTextOrRuntimeType() },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { RefuseWhatIsNotShown } },
    };

    /// <summary>Two values that differ in what JSON leaves out would be one case.</summary>
    private static void RefuseWhatIsNotShown(JsonTypeInfo info)
    {
        if (info.Kind is not JsonTypeInfoKind.Object) return;
        var kind = ValueKind.ForType(info.Type);
        if (kind.As is ComparedAs.Nothing || kind.Hidden.Count > 0)
            throw new NotSupportedException($"{info.Type} does not show all of its state.");
    }

    private sealed class ByTextOrRuntimeType : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) => ValueKind.ForType(typeToConvert).As switch
        {
            // Without this it would be written by members that say little of it.
            ComparedAs.Leaf => JsonSerializerOptions.Default.GetTypeInfo(typeToConvert).Kind is JsonTypeInfoKind.Object,
            ComparedAs.RuntimeType => typeToConvert != typeof(object),
            _ => false,
        };

        public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)Activator.CreateInstance(Converter(typeToConvert).MakeGenericType(typeToConvert))!;

        private static Type Converter(Type type) =>
            ValueKind.ForType(type).As is ComparedAs.Leaf ? typeof(ByText<>) : typeof(ByRuntimeType<>);
    }

    private sealed class ByText<T> : JsonConverter<T> where T : notnull
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
        {
            var declaring = value.GetType().GetMethod(nameof(ToString), Type.EmptyTypes)!.DeclaringType;
            if (declaring == typeof(object) || declaring == typeof(ValueType))
                throw new NotSupportedException($"{value.GetType()} has no text of its own.");
            writer.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
        }
    }

    private sealed class ByRuntimeType<T> : JsonConverter<T> where T : notnull
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, value, value.GetType(), options);
    }
}
