using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Shadowing.Comparison;
using Shadowing.Writing;

namespace Shadowing.SelfTesting;

/// <summary>Copies an answer and makes the copy wrong in one place, in memory.</summary>
internal static class PlantedDifference
{
    private const int Deepest = 8;

    private static readonly MethodInfo MemberwiseCopy =
        typeof(object).GetMethod(nameof(MemberwiseClone), BindingFlags.Instance | BindingFlags.NonPublic)!;

    /// <summary>A copy that differs in one member, chosen by <paramref name="random"/>.</summary>
    /// <returns>The copy and the index-free path of what was changed; null where nothing could be: an empty answer, or types that cannot be copied.</returns>
    public static (T Copy, string Path)? In<T>(T answer, ComparisonRules rules, Random random) =>
        Plant(answer, typeof(T), rules, random, 0) is var (copy, path) ? ((T)copy!, path) : null;

    /// <summary>A copy of what a write left, in which one row that it touched is gone, or one column of it has another value.</summary>
    public static (WrittenRows Copy, string Path)? In(WrittenRows written, Random random)
    {
        if (written.Changes.Count == 0) return null;
        var (row, now) = written.Changes.ElementAt(random.Next(written.Changes.Count));
        var path = $"{RowComparison.Root}.{row.Table}[*]";
        var changes = written.Changes.ToDictionary();
        if (now is null || random.Next(4) == 0)
        {
            changes[row] = now is null ? "{}" : null;
            return (written with { Changes = changes }, path);
        }

        var columns = JsonNode.Parse(now)!.AsObject();
        var name = columns.ElementAt(random.Next(columns.Count)).Key;
        columns[name] = columns[name]?.GetValueKind() switch
        {
            JsonValueKind.Number => columns[name]!.GetValue<decimal>() + 1,
            JsonValueKind.True => false,
            _ => columns[name]?.ToString() + "\u2020",
        };
        changes[row] = columns.ToJsonString();
        return (written with { Changes = changes }, $"{path}.{name}");
    }

    private static (object? Copy, string Path)? Plant(object? value, Type declared, ComparisonRules rules, Random random, int depth)
    {
        if (depth == Deepest) return null;
        var type = value?.GetType() ?? Nullable.GetUnderlyingType(declared) ?? declared;
        if (ComparerPlan.IsLeaf(type)) return Other(value, type) is { } other ? (other, "") : null;
        if (value is null or IDictionary) return null;
        return value is IEnumerable rows ? InRows(rows, declared, rules, random, depth) : InMembers(value, rules, random, depth);
    }

    private static (object? Copy, string Path)? InMembers(object owner, ComparisonRules rules, Random random, int depth)
    {
        var members = ComparerPlan.MembersOf(owner.GetType()).ToArray();
        random.Shuffle(members);
        foreach (var member in members)
        {
            // A member with a rule of its own may differ and yet be equal; rules of lists leave the rows' members to be compared.
            if (rules.For(member) is { } rule && rule.GetType().GetGenericTypeDefinition() == typeof(ValueRule<>)) continue;
            if (FieldBehind(member) is not { } field) continue;
            if (Plant(field.GetValue(owner), ComparerPlan.TypeOf(member), rules, random, depth + 1) is not var (planted, path)) continue;
            var copy = MemberwiseCopy.Invoke(owner, null)!;
            field.SetValue(copy, planted);
            var name = JsonNamingPolicy.CamelCase.ConvertName(member.Name);
            return (copy, path.Length == 0 || path[0] == '[' ? name + path : $"{name}.{path}");
        }

        return null;
    }

    private static (object? Copy, string Path)? InRows(IEnumerable rows, Type declared, ComparisonRules rules, Random random, int depth)
    {
        object?[] all = [.. rows.Cast<object?>()];
        if (all.Length == 0 || ComparerPlan.RowType(declared) is not { } rowType) return null;
        var index = random.Next(all.Length);
        var path = "[*]";
        if (random.Next(4) > 0 && Plant(all[index], rowType, rules, random, depth + 1) is var (planted, inRow))
        {
            all[index] = planted;
            path += inRow.Length == 0 || inRow[0] == '[' ? inRow : "." + inRow;
        }
        else
        {
            all = [.. all[..index], .. all[(index + 1)..]];
        }

        var copy = Array.CreateInstance(rowType, all.Length);
        Array.Copy(all, copy, all.Length);
        if (declared.IsInstanceOfType(copy)) return (copy, path);
        var list = typeof(List<>).MakeGenericType(rowType);
        return declared.IsAssignableFrom(list) ? (Activator.CreateInstance(list, copy), path) : null;
    }

    private static FieldInfo? FieldBehind(MemberInfo member) => member as FieldInfo ?? member.DeclaringType!.GetField(
        $"<{member.Name}>k__BackingField", BindingFlags.Instance | BindingFlags.NonPublic);

    private static object? Other(object? value, Type type)
    {
        if (value is null) return type == typeof(string) ? "planted" : type.IsValueType ? RuntimeHelpers.GetUninitializedObject(type) : null;
        return value switch
        {
            string text => text + "\u2020",
            bool flag => !flag,
            Enum => Enum.ToObject(type, Convert.ToInt64(value, CultureInfo.InvariantCulture) == 0 ? 1 : 0),
            DateTime time => time.AddMicroseconds(time.Ticks > DateTime.MaxValue.Ticks - 10 ? -1 : 1),
            DateTimeOffset time => time.AddMicroseconds(time.Ticks > DateTime.MaxValue.Ticks - 10 ? -1 : 1),
            DateOnly day => day.AddDays(day == DateOnly.MaxValue ? -1 : 1),
            Guid => Guid.NewGuid(),
            decimal number => number + 1,
            double number => double.IsNaN(number) ? 0 : number + Math.Max(1, Math.Abs(number)),
            int number => unchecked(number + 1),
            long number => unchecked(number + 1),
            _ => null,
        };
    }
}
