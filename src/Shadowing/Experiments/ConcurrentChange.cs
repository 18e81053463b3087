using Shadowing.Comparison;
using Shadowing.Model;

namespace Shadowing.Experiments;

/// <summary>How it is known that data moved between the two sides.</summary>
public enum ChangeEvidence
{
    /// <summary>The control, asked again on the snapshot, answers differently itself.</summary>
    ControlChanged,

    /// <summary>
    /// Rows that differ carry a version that was not committed when the request began: they changed, if only to change back.
    /// </summary>
    RowsChanged,
}

/// <summary>The change of data that explains a difference between the two sides, so that it is none of the candidate's doing.</summary>
/// <param name="Paths">Index-free paths at which the control's own answer changed.</param>
/// <param name="Rows">Keys of the rows that changed, as far as they can be named.</param>
public sealed record ConcurrentChange(ChangeEvidence By, IReadOnlyList<string> Paths, IReadOnlyList<string> Rows);

/// <summary>
/// Decides what a concurrent change can explain. A change somewhere does not excuse a difference anywhere: a row that differs must itself
/// have changed.
/// </summary>
internal static class ConcurrentChanges
{
    private const int Most = 20;

    /// <summary>The differences between the sides that a change of the control's own answer does not explain.</summary>
    /// <param name="seen">Between the sides, live.</param>
    /// <param name="moved">Between the control live and the control on the snapshot.</param>
    /// <remarks>
    /// A member of a row is explained by a change of that row; which rows there are, and their order, by any change of either, because one
    /// row that comes shifts all the others; what belongs to no row, such as a total, by a change of the same.
    /// </remarks>
    public static IReadOnlyList<Difference> Unexplained(IReadOnlyList<Difference> seen, IReadOnlyList<Difference> moved)
    {
        var rows = moved.Where(difference => difference.RowKey is not null).Select(difference => difference.RowKey).ToHashSet();
        var patterns = moved.Select(difference => difference.Pattern).ToHashSet();
        var set = moved.Any(IsOfTheSet);
        return [.. seen.Where(difference => !IsExplained(difference))];

        bool IsExplained(Difference difference) =>
            IsOfTheSet(difference) ? set : IsInRow(difference) ? rows.Contains(difference.RowKey) : patterns.Contains(difference.Pattern);
    }

    /// <summary>The differences that the rows' versions do not explain either.</summary>
    /// <param name="asked">The keys whose versions were asked for; null where none could be named, and any row may be the one.</param>
    public static IReadOnlyList<Difference> Unexplained(
        IReadOnlyList<Difference> left, IReadOnlyCollection<string>? asked, RowsMoved moved) =>
        !moved.HasRows ? left : asked is null ? [] :
        [.. left.Where(difference =>
            IsInRow(difference) && RowKeyText.Create(difference.RowKey!) is var key && asked.Contains(key) && !moved.Keys.Contains(key))];

    public static ConcurrentChange FromMoved(IReadOnlyList<Difference> moved) => new(
        ChangeEvidence.ControlChanged,
        [.. moved.Select(difference => difference.Pattern).Distinct().Take(Most)],
        [.. moved.Select(difference => difference.RowKey?.ToString()).OfType<string>().Distinct().Take(Most)]);

    public static ConcurrentChange FromMoved(RowsMoved moved) => new(
        ChangeEvidence.RowsChanged,
        [],
        [.. moved.Keys.Concat(moved.Names).Take(Most)]);

    /// <summary>Whether it is in a row that both sides have.</summary>
    public static bool IsInRow(Difference difference) => difference.RowKey is not null && !IsOfTheSet(difference);

    /// <summary>Whether it is about which rows there are, or in what order.</summary>
    private static bool IsOfTheSet(Difference difference) =>
        difference.Kind is DifferenceKind.MissingRow or DifferenceKind.ExtraRow or DifferenceKind.Order or DifferenceKind.Count;
}
