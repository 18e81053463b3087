using Npgsql;

namespace Shadowing.Postgres.Connections;

/// <summary>Reads a connection string in either usual form: Npgsql's keywords, or libpq's URL.</summary>
/// <remarks>A text that does not parse may contain a password anywhere. So no message quotes any part of it.</remarks>
public static class ConnectionText
{
    /// <summary>The accepted forms, for the message about a text that is refused.</summary>
    public const string Wanted =
        "Host=…;Port=…;Database=…;Username=…;Password=…, or postgresql://user:password@host:port/database?sslmode=… "
        + "with the password percent-encoded";

    /// <summary>The same connection as keywords, quoted so that other keywords can be put before and after it.</summary>
    /// <param name="text">Null and empty give an empty result, which names no host; that is no error here.</param>
    /// <exception cref="FormatException">It has neither form, or a value in it is impossible. The message quotes no part of it.</exception>
    public static string ToKeywords(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return "";
        var keywords = ConnectionUrl.IsUrl(text) ? ConnectionUrl.Read(text) : Guarded(() => new NpgsqlConnectionStringBuilder(text));
        // Otherwise Npgsql would include the password in the connection string of an open connection.
        keywords.PersistSecurityInfo = false;
        // Only building a data source shows that the values fit together. It opens no connection.
        using var fits = Guarded(() => new NpgsqlDataSourceBuilder($"Host=unset;{keywords.ConnectionString}").Build());
        return keywords.ConnectionString;
    }

    /// <summary>What is wrong with a connection string, as a message.</summary>
    /// <param name="setting">The setting's name, for the message.</param>
    /// <param name="mustNameHost">Whether it is an error to name no host.</param>
    /// <returns>Null where nothing is wrong.</returns>
    public static string? Complaint(string setting, string? text, bool mustNameHost)
    {
        try
        {
            var names = new NpgsqlConnectionStringBuilder(ToKeywords(text)) is { Host.Length: > 0 };
            return names || !mustNameHost ? null : string.IsNullOrWhiteSpace(text)
                ? $"{setting} is missing. Wanted: {Wanted}."
                : $"{setting} names no host. Wanted: {Wanted}.";
        }
        catch (FormatException malformed)
        {
            return $"{setting} is refused: {malformed.Message} Wanted: {Wanted}.";
        }
    }

    /// <summary>Replaces Npgsql's exceptions: they quote keywords and values, in inner exceptions too.</summary>
    private static T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception quoting) when (quoting is ArgumentException or FormatException or InvalidCastException or NotSupportedException
            or OverflowException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException("it is no connection string, or a value in it is impossible.");
        }
    }
}
