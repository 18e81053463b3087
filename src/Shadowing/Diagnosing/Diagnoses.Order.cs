using System.Reflection;

namespace Shadowing.Diagnosing;

/// <summary>The same rows in another order, and rows that were counted in other groups.</summary>
internal static partial class Diagnoses
{
    private static Diagnosis? OfOrder(ListSymptom list)
    {
        if (!list.IsReordered || list.Missing.Count + list.Extra.Count > 0) return null;
        foreach (var member in list.Control is [{ } first, ..] ? Members.PropertiesOf(first) : [])
        {
            bool IsNull(object? row) => row is not null && member.GetValue(row) is null;
            if (!list.Control.Any(IsNull) || list.Control.All(IsNull) || list.Control.Count != list.Candidate.Count) continue;
            var keeps = list.Control.Where(row => !IsNull(row)).SequenceEqual(list.Candidate.Where(row => !IsNull(row)));
            if (keeps) return new(Cause.NullOrdering, $"Only the rows at {list.Path} whose {Camel(member.Name)} is NULL change places.");
        }

        return list.Control is [{ } row, ..] && Members.PropertiesOf(row).FirstOrDefault(member => IsSortedAlike(list, member)) is { } tie
            ? new(Cause.UnstableTie, $"Rows at {list.Path} change places only among those of one {Camel(tie.Name)}.")
            : new(Cause.DroppedOrder, $"The same {list.Control.Count} rows at {list.Path} come in another order, and no tie explains it.");
    }

    /// <summary>Whether both lists are sorted by the member, so that nothing moved but rows equal in it.</summary>
    private static bool IsSortedAlike(ListSymptom list, PropertyInfo member)
    {
        if (!member.PropertyType.IsValueType || list.Control.Concat(list.Candidate).Any(row => row is null)) return false;
        object?[] values = [.. list.Control.Select(member.GetValue)];
        if (!values.SequenceEqual(list.Candidate.Select(member.GetValue)) || values.Distinct().Count() == 1) return false;
        var comparer = System.Collections.Comparer.DefaultInvariant;
        var steps = values.Zip(values.Skip(1), comparer.Compare).ToArray();
        return steps.All(step => step >= 0) || steps.All(step => step <= 0);
    }

    private static Diagnosis? OfBuckets(ListSymptom list) => OfBuckets(list.Path, list.Control, list.Candidate);

    /// <summary>Days differ in what they count while all of them together count the same: rows fell into other days.</summary>
    private static Diagnosis? OfBuckets(string path, IReadOnlyList<object?> control, IReadOnlyList<object?> candidate) =>
        control is [{ } row, ..] && Members.PropertiesOf(row).Any(IsDay) && Sum(control) is { } sum && sum == Sum(candidate)
            ? new(Cause.TimeZone, $"Days at {path} lose what other days gain; all of them together count the same.")
            : null;

    private static long? Sum(IReadOnlyList<object?> rows) =>
        rows.Any(row => Members.Number(row, "count") is null) ? null : rows.Sum(row => Members.Number(row, "count"));

    private static bool IsDay(PropertyInfo member) => TypeOf(member) is var type && (type == typeof(DateOnly) || type == typeof(DateTime));
}
