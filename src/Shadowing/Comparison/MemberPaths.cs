using System.Text.Json;

namespace Shadowing.Comparison;

/// <summary>A place in an answer whose values cannot be compared.</summary>
/// <param name="Path">Without indexes; empty where it is the answer itself.</param>
/// <param name="Type">The type's full name.</param>
public sealed record NotComparablePath(string Path, string Type);

/// <summary>The paths at which answers of a type can differ.</summary>
internal static class MemberPaths
{
    private const int Deepest = 6;

    /// <summary>Every path of the type without indexes, including the answer itself (empty). A closed set.</summary>
    public static IReadOnlySet<string> AllPaths(Type type) => Walk(type, ComparisonRules.None).Select(place => place.Path).ToHashSet();

    /// <summary>The places whose declared type can never be compared, except those that the rules ignore.</summary>
    public static IReadOnlyList<NotComparablePath> NotComparable(Type type, ComparisonRules rules) =>
    [
        .. Walk(type, rules).Where(place => ValueKind.ForType(place.Type).As is ComparedAs.Nothing)
            .Select(place => new NotComparablePath(place.Path, place.Type.FullName ?? place.Type.Name)).Distinct(),
    ];

    private static List<(string Path, Type Type)> Walk(Type type, ComparisonRules rules)
    {
        var (places, seen) = (new List<(string, Type)>(), new HashSet<string>());
        Add(type, "", 0);
        return places;

        void Add(Type declared, string path, int depth)
        {
            var plain = Nullable.GetUnderlyingType(declared) ?? declared;
            if (!seen.Add(path)) return;
            places.Add((path, plain));
            if (depth == Deepest) return;
            var kind = ValueKind.ForType(plain);
            if (kind.As is ComparedAs.Members)
            {
                foreach (var member in ValueKind.MembersOf(plain).Where(member => !rules.Decides(member)))
                {
                    var name = JsonNamingPolicy.CamelCase.ConvertName(member.Name);
                    Add(ValueKind.TypeOf(member), path.Length == 0 ? name : $"{path}.{name}", depth + 1);
                }
            }
            else if (kind.Arguments.Length > 0)
            {
                Add(kind.Arguments[^1], path + "[*]", depth + 1);
            }
        }
    }
}
