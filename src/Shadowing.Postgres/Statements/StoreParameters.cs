using System.Collections;
using Npgsql;
using NpgsqlTypes;
using Shadowing.Model;

namespace Shadowing.Postgres.Statements;

/// <summary>A JSON document on its way into the store.</summary>
internal readonly record struct JsonText(string Text);

/// <summary>
/// Binds what the schema <c>shadow</c> is to keep. Every text passes <see cref="PlainText"/> here, so that no row is refused for what a
/// text says; the build refuses to add a parameter in any other way.
/// </summary>
internal static class StoreParameters
{
    /// <summary>Adds positional parameters; null of any type, and arrays too.</summary>
    public static void Bind(this NpgsqlCommand command, params object?[] values)
    {
        foreach (var value in values) Add(command.Parameters, value);
    }

    /// <inheritdoc cref="Bind(NpgsqlCommand,object?[])"/>
    public static void Bind(this NpgsqlBatchCommand command, params object?[] values)
    {
        foreach (var value in values) Add(command.Parameters, value);
    }

#pragma warning disable RS0030 // The one place.
    /// <summary>Adds a parameter as it is: to ask the application's own tables, never to keep.</summary>
    public static void AddVerbatim(this NpgsqlParameterCollection parameters, NpgsqlParameter parameter) => parameters.Add(parameter);

    private static void Add(NpgsqlParameterCollection parameters, object? value) => parameters.Add(value switch
    {
        null => new() { Value = DBNull.Value },
        string text => new() { Value = PlainText.Clean(text) },
        string?[] texts => new() { Value = texts.Select(text => text is null ? null : PlainText.Clean(text)).ToArray() },
        JsonText json => new() { Value = PlainText.Json(json.Text), NpgsqlDbType = NpgsqlDbType.Jsonb },
        JsonText[] all => new()
        {
            Value = all.Select(json => PlainText.Json(json.Text)).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb,
        },
        BitArray[] bits => new() { Value = bits, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Varbit },
        _ => new NpgsqlParameter { Value = value },
    });
#pragma warning restore RS0030
}
