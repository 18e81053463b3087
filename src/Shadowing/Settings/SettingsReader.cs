using System.ComponentModel;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Shadowing.Settings;

/// <summary>A name in the configuration that no option has.</summary>
/// <param name="Nearest">The most similar known name.</param>
public sealed record UnknownSetting(string Path, string Nearest);

/// <summary>A section as it is written in the configuration.</summary>
/// <param name="Values">All values that can be bound, by their path in the section.</param>
/// <param name="Malformed">For each value that cannot be bound, the fault in words.</param>
/// <param name="Unknown">Each name that no option has.</param>
public sealed record SettingsRead(
    IReadOnlyDictionary<string, string?> Values, IReadOnlyList<string> Malformed, IReadOnlyList<UnknownSetting> Unknown)
{
    /// <summary>Binds the values that can be bound.</summary>
    public void Bind(object options) => new ConfigurationBuilder().AddInMemoryCollection(Values).Build().Bind(options);
}

/// <summary>Reads a section by the type that it is bound to, so that all of its faults are found at once.</summary>
public sealed class SettingsReader
{
    private readonly string _root;
    private readonly IReadOnlyDictionary<string, Type> _sections;
    private readonly IReadOnlyDictionary<string, IReadOnlyCollection<string>> _names;
    private readonly Dictionary<string, string?> _values = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _malformed = [];
    private readonly List<UnknownSetting> _unknown = [];

    private SettingsReader(
        string root, IReadOnlyDictionary<string, Type> sections, IReadOnlyDictionary<string, IReadOnlyCollection<string>> names) =>
        (_root, _sections, _names) = (root, sections, names);

    /// <summary>Reads a section and finds its faults.</summary>
    /// <param name="root">The section's path, for messages.</param>
    /// <param name="sections">Nested sections that are bound elsewhere, with their types.</param>
    /// <param name="names">The allowed keys of a dictionary, by its path in the section; any other dictionary may have all keys.</param>
    public static SettingsRead Read(
        IConfiguration section, Type type, string root, IReadOnlyDictionary<string, Type>? sections = null,
        IReadOnlyDictionary<string, IReadOnlyCollection<string>>? names = null)
    {
        ArgumentNullException.ThrowIfNull(section);
        ArgumentNullException.ThrowIfNull(type);
        var reader = new SettingsReader(
            root, sections ?? new Dictionary<string, Type>(), names ?? new Dictionary<string, IReadOnlyCollection<string>>());
        reader.Section(section, type, "");
        return new(reader._values, reader._malformed, reader._unknown);
    }

    private void Section(IConfiguration section, Type type, string path)
    {
        if (Element(type, typeof(IDictionary<,>), 1) is { } valueType)
        {
            var known = _names.GetValueOrDefault(path);
            foreach (var child in section.GetChildren())
            {
                // No shell exports a name with a dot: orders_list stands for orders.list.
                var name = known?.FirstOrDefault(one => one.Equals(child.Key, StringComparison.OrdinalIgnoreCase)
                    || one.Replace('.', '_').Equals(child.Key, StringComparison.OrdinalIgnoreCase));
                if (known is null || name is not null) Value(child, valueType, Join(path, name ?? child.Key));
                else _unknown.Add(new(Full(Join(path, child.Key)), Nearest(child.Key, known)));
            }
        }
        else if (Element(type, typeof(IEnumerable<>), 0) is { } elementType)
        {
            foreach (var child in section.GetChildren()) Value(child, elementType, Join(path, child.Key));
        }
        else
        {
            Members(section, type, path);
        }
    }

    private void Members(IConfiguration section, Type type, string path)
    {
        var members = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite || Element(property.PropertyType, typeof(IEnumerable<>), 0) is not null)
            .ToDictionary(property => property.Name, property => property.PropertyType, StringComparer.OrdinalIgnoreCase);
        if (path.Length == 0) foreach (var (name, bound) in _sections) members[name] = bound;
        foreach (var child in section.GetChildren())
        {
            if (members.TryGetValue(child.Key, out var member)) Value(child, member, Join(path, child.Key));
            else _unknown.Add(new(Full(Join(path, child.Key)), Nearest(child.Key, members.Keys)));
        }
    }

    private void Value(IConfigurationSection section, Type type, string path)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        var converter = TypeDescriptor.GetConverter(plain);
        if (!converter.CanConvertFrom(typeof(string)) || plain == typeof(object))
        {
            // The value is not quoted: it may be a secret.
            if (section.Value is { Length: > 0 }) _malformed.Add($"{Full(path)} has a value, but it is a section.");
            Section(section, plain, path);
            return;
        }

        foreach (var below in section.GetChildren()) _unknown.Add(new(Full(Join(path, below.Key)), section.Key));
        if (section.Value is not { } value) return;
        if (value.Length == 0 && plain != type) _values[path] = null;
        else if (Converts(converter, value)) _values[path] = value;
        else _malformed.Add($"{Full(path)} = '{value}': it is not a {NameOf(plain)}.");
    }

    private static bool Converts(TypeConverter converter, string value)
    {
        try
        {
            return converter.ConvertFromInvariantString(value) is not null;
        }
#pragma warning disable CA1031 // Converters throw many types of exceptions for values that they cannot read.
        catch (Exception)
        {
            return false;
        }
#pragma warning restore CA1031
    }

    private static string NameOf(Type type) => type == typeof(bool) ? "true or false"
        : type == typeof(TimeSpan) ? "time such as 00:00:05"
        : type == typeof(DateTimeOffset) ? "moment such as 2030-01-31T12:00:00Z"
        : type.IsEnum ? string.Join(" or ", Enum.GetNames(type))
        : type == typeof(int) || type == typeof(long) ? "whole number" : "number";

    private static Type? Element(Type type, Type generic, int argument) => type == typeof(string) ? null : type.GetInterfaces().Append(type)
        .FirstOrDefault(one => one.IsGenericType && one.GetGenericTypeDefinition() == generic)?.GetGenericArguments()[argument];

    private static string Nearest(string name, IEnumerable<string> known) =>
        known.OrderBy(candidate => candidate.StartsWith(name, StringComparison.OrdinalIgnoreCase) ? 0 : 1)
            .ThenBy(candidate => Distance(name, candidate))
            .ThenBy(candidate => candidate, StringComparer.Ordinal)
            .FirstOrDefault() ?? "";

    /// <summary>How many characters must be added, removed or replaced, ignoring case.</summary>
    private static int Distance(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var (corner, _) = (row[0], row[0] = i);
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = corner + (char.ToUpperInvariant(from[i - 1]) == char.ToUpperInvariant(to[j - 1]) ? 0 : 1);
                (corner, row[j]) = (row[j], Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1));
            }
        }

        return row[^1];
    }

    private string Full(string path) => $"{_root}:{path}";

    private static string Join(string path, string key) => path.Length == 0 ? key : $"{path}:{key}";
}
