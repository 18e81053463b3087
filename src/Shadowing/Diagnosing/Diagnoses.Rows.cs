using System.Reflection;

namespace Shadowing.Diagnosing;

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
                ?? OfExtraNulls(list) ?? OfBuckets(list) ?? OfPaging(list, symptoms) ?? OfOrder(list) ?? OfTheRest(list);
            if (found is not null) return found;
        }

        return null;
    }

    /// <summary>A text that the request filters by, held against the same member of the rows that should not be there.</summary>
    private static Diagnosis? OfFilters(ListSymptom list, object request)
    {
        foreach (var parameter in Members.PropertiesOf(request).Where(parameter => parameter.PropertyType == typeof(string)))
        {
            var (name, asked) = (parameter.Name, (string?)parameter.GetValue(request));
            if (asked is "" && list.Missing.Count > 0 && list.Candidate.All(row => Members.Get(row, name) is ""))
                return new(Cause.EmptyFilter, $"{Camel(name)} is empty, and no row came at {list.Path} but those with an empty one.");
            if (string.IsNullOrEmpty(asked) || list.Extra.Any(row => !HasText(row, name))) continue;

            // Rows that fit the filter are there only because those that do not have moved the page.
            string?[] odd = [.. list.Extra.Select(row => (string?)Members.Get(row, name)).Where(text => text != asked)];
            if (odd.Length == 0) continue;
            var (cause, what) = odd switch
            {
                _ when odd.All(text => text is null) => (Cause.NullComparison, "none"),
                _ when odd.All(text => SameIgnoringCase(text, asked)) => (Cause.CaseHandling, "the same in another case"),
                _ when odd.All(text => text?.Trim() == asked.Trim()) => (Cause.TrimmedText, "the same with other white space"),
                _ => (Cause.FilterLost, "another"),
            };
            return new(cause, $"{odd.Length} of {list.Extra.Count} extra rows at {list.Path}: not the {Camel(name)} asked for but {what}.");
        }

        return null;
    }

    private static Diagnosis? OfEmptiness(ListSymptom list, Symptoms symptoms)
    {
        if (list.Candidate.Count > 0 || list.Control.Count == 0) return null;
        if (list.TotalDiffers)
            return new(Cause.FilterAlwaysFalse, $"The candidate finds nothing at all where the control has {list.Control.Count} rows.");
        return list.Path.Contains('.', StringComparison.Ordinal) || Members.Number(symptoms.Request, "limit") is null
            ? new(Cause.MissingInclude, $"{list.Path} is empty where the control has {list.Control.Count} rows, and nothing else differs.")
            : null;
    }

    private static Diagnosis? OfDuplicates(ListSymptom list)
    {
        // A row that the control has not at all was not multiplied but found too much, even where several such rows look alike.
        var doubled = list.Extra.Count(row => list.Control.Any(row.Equals) && list.Candidate.Count(row.Equals) > 1);
        return doubled == 0 || doubled < list.Extra.Count ? null
            : new(Cause.MultipliedRows, $"{doubled} rows at {list.Path} come more than once.");
    }

    /// <summary>Rows in which a member is NULL are missing, and none came.</summary>
    private static Diagnosis? OfMissingNulls(ListSymptom list)
    {
        if (list.Missing.Count == 0) return null;
        foreach (var member in Members.PropertiesOf(list.Missing[0]).OrderBy(Telling))
        {
            var lost = list.Missing.Count(row => member.GetValue(row) is null);
            if (lost == 0 || list.Candidate.Any(row => row is null || member.GetValue(row) is null)) continue;

            // Other rows in their place and the same total: they are on another page. That says nothing of what is no sort key.
            var isMoved = list.Extra.Count > 0 && !list.TotalDiffers;
            var isTime = TypeOf(member) == typeof(DateTime);
            var isTold = isMoved ? isTime : !isTime
                && (list.Extra.Count == 0 ? lost == list.Missing.Count && list.Candidate.Count > 0 : list.Candidate.Count >= FewestToTell);
            if (!isTold) continue;
            return new(
                isMoved ? Cause.NullOrdering : IsKey(TypeOf(member)) ? Cause.InnerJoin : Cause.NullComparison,
                $"{Camel(member.Name)} is NULL in {lost} of {list.Missing.Count} missing rows at {list.Path}, and in none that came.");
        }

        return null;
    }

    /// <summary>Rows came in which a member is NULL, and the control has none such.</summary>
    private static Diagnosis? OfExtraNulls(ListSymptom list)
    {
        if (list.Missing.Count > 0 || list.Extra.Count == 0 || list.Control.Count == 0) return null;
        var member = Members.PropertiesOf(list.Extra[0]).FirstOrDefault(member =>
            list.Extra.All(row => member.GetValue(row) is null)
            && list.Control.All(row => row is not null && member.GetValue(row) is not null));
        return member is null ? null
            : new(Cause.NullComparison, $"{Camel(member.Name)} is NULL in all {list.Extra.Count} extra rows at {list.Path} alone.");
    }

    private static Diagnosis? OfPaging(ListSymptom list, Symptoms symptoms)
    {
        var (page, limit) = (Members.Number(symptoms.Request, "page"), Members.Number(symptoms.Request, "limit"));
        if (list.TotalDiffers || page is null || limit is null) return null;
        if (list.Candidate.Count > 0 && list.Missing.Count == list.Control.Count && list.Extra.Count == list.Candidate.Count)
            return new(Cause.PageOffByOne, $"No row of page {page} is there, but others; the total is right.");
        if (list.Extra.Count == 0 && list.Candidate.Count < Math.Min(limit.Value, list.Control.Count))
            return new(
                Cause.PagingBeforeFilter,
                $"{list.Candidate.Count} of {list.Control.Count} rows came for a page of {limit}; the total fits.");
        return IsShifted(list) ? new(Cause.PageOffByOne, "The page begins a row late; the total is right.") : null;
    }

    /// <summary>The first row has gone, and the one behind the last has come. More than one row is no slip in counting.</summary>
    private static bool IsShifted(ListSymptom list) =>
        list is { Missing: [var gone], Extra.Count: <= 1, Control: [{ } first, _, ..], Candidate: [.., { } last] }
        && gone.Equals(first) && (list.Extra.Count == 0 || list.Extra[0].Equals(last));

    private static Diagnosis? OfTheRest(ListSymptom list) => (list.Missing.Count, list.Extra.Count) switch
    {
        (0, 0) => null,
        ( > 0, var extra) when extra <= list.Missing.Count =>
            new(Cause.MissingRows, $"{list.Missing.Count} of {list.Control.Count} rows at {list.Path} are missing."),
        var (_, extra) => new(Cause.ExtraRows, $"{extra} rows at {list.Path} should not be there."),
    };

    /// <summary>Sort keys first, then what rows are joined by.</summary>
    private static int Telling(PropertyInfo member) => TypeOf(member) == typeof(DateTime) ? 0 : TypeOf(member).IsValueType ? 1 : 2;

    private static bool SameIgnoringCase(string? left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);

    private static bool IsKey(Type type) => type == typeof(int) || type == typeof(long) || type == typeof(Guid);

    private static bool HasText(object row, string name) =>
        Members.PropertiesOf(row).Any(member => member.Name == name && member.PropertyType == typeof(string));

    private static Type TypeOf(PropertyInfo member) => Nullable.GetUnderlyingType(member.PropertyType) ?? member.PropertyType;

    private static string Camel(string name) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(name);
}
