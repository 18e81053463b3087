using System.Globalization;
using Npgsql;

namespace Shadowing.Postgres.Connections;

/// <summary>
/// A connection string as libpq writes it: <c>postgresql://user:password@host:port,host:port/database?parameter=value</c>.
/// </summary>
/// <remarks>
/// Stricter than libpq where an unencoded password would pass for something else: then a part of it would be taken for a host, a database
/// or a parameter, and be shown as such.
/// </remarks>
internal static class ConnectionUrl
{
    private static readonly string[] Schemes = ["postgresql://", "postgres://"];

    private static readonly Dictionary<string, Action<NpgsqlConnectionStringBuilder, string>> Parameters = new(StringComparer.Ordinal)
    {
        ["sslmode"] = static (to, value) =>
            to.SslMode = Enum.Parse<SslMode>(value.Replace("-", "", StringComparison.Ordinal), ignoreCase: true),
        ["sslrootcert"] = static (to, value) => to.RootCertificate = value,
        ["channel_binding"] = static (to, value) => to.ChannelBinding = Enum.Parse<ChannelBinding>(value, ignoreCase: true),
        ["application_name"] = static (to, value) => to.ApplicationName = value,
        ["connect_timeout"] = static (to, value) => to.Timeout = int.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture),
        ["target_session_attrs"] = static (to, value) => to.TargetSessionAttributes = value,
        ["options"] = static (to, value) => to.Options = value,
    };

    public static bool IsUrl(string text) => Schemes.Any(scheme => text.TrimStart().StartsWith(scheme, StringComparison.OrdinalIgnoreCase));

    /// <exception cref="FormatException">
    /// The message holds no part of it but the names of parameters that cannot be part of a password.
    /// </exception>
    public static NpgsqlConnectionStringBuilder Read(string text)
    {
        var rest = text.Trim();
        rest = rest[(rest.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var (authority, path, query) = Split(rest);
        // Where an @ separates the user from the host, there is one, and it comes before the path.
        if (rest.Count(static sign => sign == '@') > 1 || rest.LastIndexOf('@') >= authority.Length
            || path.Contains('/', StringComparison.Ordinal)
            || rest.Any(static sign => sign == '#' || char.IsWhiteSpace(sign) || char.IsControl(sign)))
            throw new FormatException("a sign in its URL must be percent-encoded, such as @ / ? # or a space in the password.");

        var to = new NpgsqlConnectionStringBuilder();
        var hosts = authority;
        if (authority.LastIndexOf('@') is >= 0 and var at)
        {
            var user = authority[..at].Split(':', 2);
            if (user[0].Length > 0) to.Username = Decode(user[0]);
            if (user is [_, { Length: > 0 } password]) to.Password = Decode(password);
            hosts = authority[(at + 1)..];
        }

        SetHosts(to, hosts);
        if (path.Length > 0) to.Database = Decode(path);
        var mayName = authority.Contains('@', StringComparison.Ordinal);
        foreach (var parameter in query.Split('&', StringSplitOptions.RemoveEmptyEntries)) Set(to, parameter, mayName);
        return to;
    }

    private static (string Authority, string Path, string Query) Split(string rest)
    {
        var (before, query) = rest.IndexOf('?', StringComparison.Ordinal) is >= 0 and var mark
            ? (rest[..mark], rest[(mark + 1)..])
            : (rest, "");
        return before.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash
            ? (before[..slash], before[(slash + 1)..], query)
            : (before, "", query);
    }

    /// <summary>Of several hosts, each with its port, Npgsql takes the first that answers as wanted.</summary>
    private static void SetHosts(NpgsqlConnectionStringBuilder to, string hosts)
    {
        var all = hosts.Split(',').Select(Host).ToArray();
        if (all is [var (host, port)])
        {
            if (host.Length > 0) to.Host = host;
            if (port is { } one) to.Port = one;
            return;
        }

        to.Host = string.Join(',', all.Select(static each =>
        {
            var name = each.Host.Contains(':', StringComparison.Ordinal) ? $"[{each.Host}]" : each.Host;
            return each.Port is { } number ? string.Create(CultureInfo.InvariantCulture, $"{name}:{number}") : name;
        }));
    }

    private static (string Host, int? Port) Host(string text)
    {
        var end = text.StartsWith('[') ? text.IndexOf(']', StringComparison.Ordinal) : -1;
        var colon = text.IndexOf(':', Math.Max(end, 0));
        var host = Decode(end > 0 ? text[1..end] : colon < 0 ? text : text[..colon]);
        var rest = colon < 0 ? "" : text[(colon + 1)..];
        if ((text.StartsWith('[') && end < 0) || (end > 0 && end + 1 < text.Length && colon != end + 1))
            throw new FormatException("the host in its URL is no host; an IPv6 address needs brackets.");
        if (rest.Length == 0) return (host, null);
        return int.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= ushort.MaxValue
            ? (host, port)
            : throw new FormatException(
                "the port in its URL is no port; an IPv6 address needs brackets, and a password must be percent-encoded.");
    }

    private static void Set(NpgsqlConnectionStringBuilder to, string parameter, bool mayName)
    {
        var (name, value) = parameter.Split('=', 2) is [var left, var right] ? (left, Decode(right)) : (parameter, "");
        if (!Parameters.TryGetValue(name, out var set))
        {
            // A name of letters behind a complete authority; anything else may be a piece of a password.
            var quotable = mayName && name.Length is > 0 and <= 30 && name.All(static sign => sign is (>= 'a' and <= 'z') or '_');
            var which = quotable ? $"the parameter {name}" : "a parameter";
            throw new FormatException($"{which} of its URL is not known; known are {string.Join(", ", Parameters.Keys)}.");
        }

        try
        {
            set(to, value);
        }
        catch (Exception impossible) when (impossible is ArgumentException or FormatException or OverflowException)
        {
            throw new FormatException($"the value of {name} in its URL is impossible.");
        }
    }

    private static string Decode(string text)
    {
        for (var at = text.IndexOf('%', StringComparison.Ordinal); at >= 0; at = text.IndexOf('%', at + 1))
        {
            if (at + 2 >= text.Length || !char.IsAsciiHexDigit(text[at + 1]) || !char.IsAsciiHexDigit(text[at + 2]))
                throw new FormatException("a % in its URL is not followed by two hexadecimal digits; write it as %25.");
        }

        return Uri.UnescapeDataString(text);
    }
}
