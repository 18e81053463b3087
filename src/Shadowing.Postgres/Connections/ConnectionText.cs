using Npgsql;

namespace Shadowing.Postgres.Connections;

/// <summary>Reads a connection string in either usual form: Npgsql's keywords, or libpq's URL.</summary>
/// <remarks>A string that does not parse may hold its password anywhere. So no message about one holds any part of it.</remarks>
public static class ConnectionText
{
    /// <summary>The forms that are read, to be shown where a string is refused.</summary>
    public const string Wanted =
        "Host=…;Port=…;Database=…;Username=…;Password=…, or postgresql://user:password@host:port/database?sslmode=… "
        + "with the password percent-encoded";

    /// <summary>The same in keywords, quoted so that others can be put before and after it.</summary>
    /// <param name="text">Null and empty name no host, which is no error here.</param>
    /// <exception cref="FormatException">It is neither form, or a value in it is impossible. The message holds no part of it.</exception>
    public static string ToKeywords(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return "";
        var keywords = ConnectionUrl.IsUrl(text) ? ConnectionUrl.Read(text) : Guarded(() => new NpgsqlConnectionStringBuilder(text));
        // Npgsql would show the password to whoever asks an open connection for its string.
        keywords.PersistSecurityInfo = false;
        // Only building a data source shows that the values fit together; nothing is opened by it.
        using var fits = Guarded(() => new NpgsqlDataSourceBuilder($"Host=unset;{keywords.ConnectionString}").Build());
        return keywords.ConnectionString;
    }

    /// <summary>Says what is wrong with it.</summary>
    /// <param name="setting">Its name, for the message.</param>
    /// <param name="mustNameHost">Whether it must lead somewhere.</param>
    /// <returns>Null where nothing is.</returns>
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

    /// <summary>What Npgsql throws quotes keywords and values, in inner exceptions too.</summary>
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
