using System.Text.Json;

namespace Shadowing.Comparison;

/// <summary>The paths that an answer's type can differ at.</summary>
internal static class MemberPaths
{
    private const int Deepest = 6;

    /// <summary>Every path of the type without indexes, the answer itself (empty) included; a set as closed as the type.</summary>
    public static IReadOnlySet<string> Of(Type type)
    {
        var paths = new HashSet<string>();
        Add(type, "", 0, paths);
        return paths;
    }

    private static void Add(Type type, string path, int depth, HashSet<string> paths)
    {
        if (!paths.Add(path) || depth == Deepest) return;
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (ComparerPlan.IsLeaf(plain)) return;
        if (ComparerPlan.RowType(plain) is { } row)
        {
            Add(row, path + "[*]", depth + 1, paths);
            return;
        }

        foreach (var member in ComparerPlan.MembersOf(plain))
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(member.Name);
            Add(ComparerPlan.TypeOf(member), path.Length == 0 ? name : $"{path}.{name}", depth + 1, paths);
        }
    }
}
