using System.Reflection;
using ShadowTicketing.Shadowing.Comparison;

namespace ShadowTicketing.Shadowing.Diagnosing;

/// <summary>Rows that are missing, extra, or in another order.</summary>
internal static partial class Diagnoses
{
    /// <summary>Rows without a NULL among them, from which on that is no chance.</summary>
    private const int FewestToTell = 3;

    private static Diagnosis? OfRows(Symptoms symptoms)
    {
        foreach (var list in symptoms.Lists)
        {
            var found = OfFilters(list, symptoms.Request) ?? OfEmptiness(list, symptoms) ?? OfDuplicates(list) ?? OfMissingNulls(list)
                ?? OfPaging(list, symptoms) ?? OfBuckets(list) ?? OfOrder(list) ?? OfTheRest(list);
            if (found is not null) return found;
        }

        return null;
    }

    /// <summary>A text that the request filters by, held against the same member of the rows that should not be there.</summary>
    private static Diagnosis? OfFilters(ListSymptom list, object request)
    {
        foreach (var parameter in Members.Of(request).Where(parameter => parameter.PropertyType == typeof(string)))
        {
            var (name, asked) = (parameter.Name, (string?)parameter.GetValue(request));
            if (asked is "" && list.Missing.Count > 0 && list.Candidate.All(row => row is not null && Members.Get(row, name) is ""))
                return new(Cause.EmptyFilter, $"{Camel(name)} is empty, and of {list.Control.Count} rows at {list.Path} none but those with an empty one came.");
            if (string.IsNullOrEmpty(asked) || list.Extra.Any(row => Of(row, name) is null)) continue;

            // Rows that fit the filter are there only because those that do not have moved the page.
            string?[] odd = [.. list.Extra.Select(row => (string?)Members.Get(row, name)).Where(text => text != asked)];
            if (odd.Length == 0) continue;
            var (cause, how) = odd switch
            {
                _ when odd.All(text => text is null) => (Cause.NullComparison, "none"),
                _ when odd.All(text => string.Equals(text, asked, StringComparison.OrdinalIgnoreCase)) => (Cause.CaseHandling, "the one that was asked for in another case"),
                _ when odd.All(text => text?.Trim() == asked.Trim()) => (Cause.TrimmedText, "the one that was asked for with other white space"),
                _ => (Cause.FilterLost, "another than was asked for"),
            };
            return new(cause, $"Of {list.Extra.Count} extra rows at {list.Path} {odd.Length} do not have the {Camel(name)} that was asked for: they have {how}.");
        }

        return null;
    }

    private static Diagnosis? OfEmptiness(ListSymptom list, Symptoms symptoms)
    {
        if (list.Candidate.Count > 0 || list.Control.Count == 0) return null;
        if (list.TotalDiffers) return new(Cause.FilterAlwaysFalse, $"The candidate finds nothing at all where the control has {list.Control.Count} rows.");
        return list.Path.Contains('.', StringComparison.Ordinal) || Members.Number(symptoms.Request, "limit") is null
            ? new(Cause.MissingInclude, $"{list.Path} is empty where the control has {list.Control.Count} rows, and nothing else differs.")
            : null;
    }

    private static Diagnosis? OfDuplicates(ListSymptom list)
    {
        var keys = list.Differences.Where(difference => difference.Kind is DifferenceKind.ExtraRow).Select(difference => difference.Candidate).ToArray();
        var doubled = keys.Count(row => row is not null && list.Candidate.Count(row.Equals) > 1);
        return doubled == 0 || doubled < keys.Length ? null
            : new(Cause.MultipliedRows, $"{doubled} rows at {list.Path} come more than once.");
    }

    /// <summary>Rows in which a member is NULL are missing, or are on another page.</summary>
    private static Diagnosis? OfMissingNulls(ListSymptom list)
    {
        if (list.Missing.Count == 0) return OfExtraNulls(list);
        // Where all rows are others, NULLs say nothing: every member that happens to be NULL would be blamed.
        foreach (var member in Members.Of(list.Missing[0]).OrderBy(member => TypeOf(member) == typeof(DateTime) ? 0 : member.PropertyType.IsValueType ? 1 : 2))
        {
            var lost = list.Missing.Count(row => member.GetValue(row) is null);
            if (lost == 0 || list.Candidate.Any(row => row is null || member.GetValue(row) is null)) continue;
            var evidence = $"{Camel(member.Name)} is NULL in {lost} of the {list.Missing.Count} rows that are missing at {list.Path}, and in none of those that came.";
            if (list.Extra.Count > 0 && !list.TotalDiffers)
            {
                if (TypeOf(member) == typeof(DateTime)) return new(Cause.NullOrdering, evidence);
                continue;
            }

            var isTold = list.Extra.Count == 0 ? lost == list.Missing.Count && list.Candidate.Count > 0 : list.Candidate.Count >= FewestToTell;
            if (isTold && TypeOf(member) != typeof(DateTime)) return new(IsKey(TypeOf(member)) ? Cause.InnerJoin : Cause.NullComparison, evidence);
        }

        return null;
    }

    private static Diagnosis? OfExtraNulls(ListSymptom list)
    {
        foreach (var member in list.Extra is [var first, ..] ? Members.Of(first) : [])
        {
            if (list.Extra.Any(row => member.GetValue(row) is not null) || list.Control.Count == 0 || list.Control.Any(row => row is null || member.GetValue(row) is null)) continue;
            return new(Cause.NullComparison, $"{Camel(member.Name)} is NULL in all {list.Extra.Count} extra rows at {list.Path}, and in no other.");
        }

        return null;
    }

    private static Diagnosis? OfPaging(ListSymptom list, Symptoms symptoms)
    {
        if (list.TotalDiffers || Members.Number(symptoms.Request, "limit") is not { } limit || Members.Number(symptoms.Request, "page") is not { } page) return null;
        var isLast = Members.Number(symptoms.Pair?.Control, "total") is { } total && page * limit >= total;
        if (list.Missing.Count == list.Control.Count && (list.Candidate.Count > 0 || isLast) && (list.Extra.Count == list.Candidate.Count))
            return new(Cause.PageOffByOne, $"No row of page {page} is there; the total is right.");
        if (list.Extra.Count == 0 && list.Candidate.Count < Math.Min(limit, list.Control.Count))
            return new(Cause.PagingBeforeFilter, $"{list.Candidate.Count} of {list.Control.Count} rows came on a page of {limit}; the total is right.");
        return IsShifted(list) ? new(Cause.PageOffByOne, "The page begins a row late; the total is right.") : null;
    }

    /// <summary>The first row has gone, and the one behind the last has come. More than one row is no slip in counting.</summary>
    private static bool IsShifted(ListSymptom list) => list is { Missing: [var gone], Extra.Count: <= 1, Control: [{ } first, _, ..], Candidate: [.., { } last] }
        && gone.Equals(first) && (list.Extra.Count == 0 || list.Extra[0].Equals(last));

    /// <summary>Groups come and go while what they count stays the same: the rows fell into other groups.</summary>
    private static Diagnosis? OfBuckets(ListSymptom list)
    {
        if (Sum(list.Control, "count") is not { } control || control != Sum(list.Candidate, "count")) return null;
        return list.Missing.Concat(list.Extra).FirstOrDefault() is { } row && Members.Of(row).Any(IsDay)
            ? new(Cause.TimeZone, $"Days at {list.Path} come and go while the {control} that they count stay the same.")
            : null;
    }

    private static Diagnosis? OfOrder(ListSymptom list)
    {
        if (!list.IsReordered || list.Missing.Count + list.Extra.Count > 0) return null;
        foreach (var member in list.Control is [{ } first, ..] ? Members.Of(first) : [])
        {
            bool IsNull(object? row) => row is not null && member.GetValue(row) is null;
            if (!list.Control.Any(IsNull) || list.Control.All(IsNull) || list.Control.Count != list.Candidate.Count) continue;
            var keeps = list.Control.Where(row => !IsNull(row)).SequenceEqual(list.Candidate.Where(row => !IsNull(row)));
            if (keeps) return new(Cause.NullOrdering, $"Only the rows at {list.Path} whose {Camel(member.Name)} is NULL change places.");
        }

        if (list.Control is [{ } row, ..] && Members.Of(row).FirstOrDefault(member => IsSortedAlike(list, member)) is { } tie)
            return new(Cause.UnstableTie, $"Rows at {list.Path} change places only among those of one {Camel(tie.Name)}.");
        return new(Cause.DroppedOrder, $"The same {list.Control.Count} rows at {list.Path} come in another order, and no tie explains it.");
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

    private static Diagnosis? OfTheRest(ListSymptom list) => (list.Missing.Count, list.Extra.Count) switch
    {
        (0, 0) => null,
        ( > 0, var extra) when extra <= list.Missing.Count => new(Cause.MissingRows, $"{list.Missing.Count} of {list.Control.Count} rows at {list.Path} are missing."),
        var (_, extra) => new(Cause.ExtraRows, $"{extra} rows at {list.Path} should not be there."),
    };

    private static long? Sum(IReadOnlyList<object?> rows, string member) => rows.Count == 0 || rows.Any(row => Members.Number(row, member) is null)
        ? null : rows.Sum(row => Members.Number(row, member));

    private static bool IsDay(PropertyInfo member) => TypeOf(member) is var type && (type == typeof(DateOnly) || type == typeof(DateTime));

    private static bool IsKey(Type type) => type == typeof(int) || type == typeof(long) || type == typeof(Guid);

    private static Type TypeOf(PropertyInfo member) => Nullable.GetUnderlyingType(member.PropertyType) ?? member.PropertyType;

    private static PropertyInfo? Of(object row, string name) =>
        Members.Of(row).FirstOrDefault(member => member.Name == name && member.PropertyType == typeof(string));

    private static string Camel(string name) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(name);
}
