using System.Linq.Expressions;
using System.Reflection;

namespace Shadowing.Comparison;

/// <summary>
/// What counts as equal beyond plain equality, member by member, each with its reason. What no rule names is compared exactly.
/// </summary>
/// <remarks>A rule speaks for its own member only: a difference beside it is still found.</remarks>
public sealed class ComparisonRules
{
    private readonly Dictionary<MemberInfo, object> _rules = [];
    private bool _rowsHaveKeys;

    /// <summary>No rules: exact equality, list by position.</summary>
    public static ComparisonRules None { get; } = new();

    /// <summary>The rows of a list are the same row when their keys are equal, and come in the control's order.</summary>
    public ComparisonRules Rows<T, TRow, TKey>(Expression<Func<T, IReadOnlyList<TRow>?>> list, Func<TRow, TKey> key) =>
        Add(list, new RowRule<TRow, TKey>(key));

    /// <summary>
    /// As <see cref="Rows{T,TRow,TKey}"/>, for a list sorted by something that does not decide between all rows: rows equal in
    /// <paramref name="sortedBy"/> may come in any order, and where a page cuts through such rows, either side may show any of them.
    /// </summary>
    /// <param name="cut">Which ends of the list cut through a longer one; null where the list is whole.</param>
    /// <param name="fits">
    /// Whether a row may stand in this answer at all: a row shown in place of a tied one must still be one that was asked for,
    /// or a leak could hide behind a tie. The request comes first.
    /// </param>
    public ComparisonRules Ties<TRequest, T, TRow, TKey, TSort>(
        Expression<Func<T, IReadOnlyList<TRow>?>> list,
        Func<TRow, TKey> key,
        Func<TRow, TSort> sortedBy,
        string because,
        Func<T, ListCut>? cut = null,
        Func<TRequest, TRow, bool>? fits = null) =>
        Add(list, new RowRule<TRow, TKey>(key)
        {
            SortKey = row => sortedBy(row),
            Because = because,
            Cut = cut is null ? null : owner => cut((T)owner),
            Fits = fits is null ? null : (request, row) => request is TRequest typed && fits(typed, row),
        });

    /// <summary>As <see cref="Rows{T,TRow,TKey}"/>, in any order.</summary>
    public ComparisonRules Unordered<T, TRow, TKey>(Expression<Func<T, IReadOnlyList<TRow>?>> list, Func<TRow, TKey> key, string because) =>
        Add(list, new RowRule<TRow, TKey>(key) { AnyOrder = true, Because = because });

    /// <summary>Two values no further apart than this are equal.</summary>
    public ComparisonRules Within<T, TValue>(Expression<Func<T, TValue>> member, Func<TValue, TValue, bool> near, string because) =>
        Add(member, new ValueRule<TValue>(near, because));

    /// <summary>The member is not compared at all; where its values differ the comparison is tolerated, not a match.</summary>
    public ComparisonRules Ignore<T, TValue>(Expression<Func<T, TValue>> member, string because) =>
        Add(member, new ValueRule<TValue>(static (_, _) => true, because));

    /// <summary>
    /// Rules by which the rows of a list that no rule names are the same row when their <c>Id</c> is equal (or <c>OrderId</c> of an
    /// <c>Order</c>, or <c>Key</c>), in the control's order. Rows without such a member are compared by position.
    /// </summary>
    public static ComparisonRules KeyedRows() => new() { _rowsHaveKeys = true };

    /// <summary>The rule for rows of a type, where no rule names their list; null where they are compared by position.</summary>
    internal object? ForRows(Type row) => _rowsHaveKeys && ConventionalKey.MemberOf(row) is { } key
        ? Activator.CreateInstance(typeof(RowRule<,>).MakeGenericType(row, key.PropertyType), ConventionalKey.ReaderOf(row, key)) : null;

    /// <summary>Whether a rule alone says when the member's values are equal, so that what is inside them is not looked at.</summary>
    internal bool Decides(MemberInfo member) => For(member)?.GetType().GetGenericTypeDefinition() == typeof(ValueRule<>);

    internal object? For(MemberInfo member) => _rules.GetValueOrDefault(member);

    private ComparisonRules Add<T, TValue>(Expression<Func<T, TValue>> member, object rule)
    {
        if (member.Body is not MemberExpression { Member: var named } || named.DeclaringType is null)
            throw new ArgumentException($"A comparison rule names one member, not '{member.Body}'.", nameof(member));
        if (!_rules.TryAdd(named, rule))
            throw new ArgumentException($"'{named.DeclaringType.Name}.{named.Name}' has a rule already.", nameof(member));
        return this;
    }
}

/// <summary>Which ends of a list were cut off from a longer one.</summary>
public readonly record struct ListCut(bool Start, bool End);

internal sealed record ValueRule<T>(Func<T, T, bool> Near, string Because);

/// <summary>How the rows of a list are aligned and ordered. The key stays typed where all is equal, so that nothing is boxed.</summary>
internal abstract class RowRule<TRow>
{
    public Func<TRow, object?>? SortKey { get; init; }

    public bool AnyOrder { get; init; }

    public string Because { get; init; } = "";

    public Func<object, ListCut>? Cut { get; init; }

    public Func<object?, TRow, bool>? Fits { get; init; }

    public abstract bool SameKey(TRow control, TRow candidate);

    public abstract object? KeyOf(TRow row);
}

internal sealed class RowRule<TRow, TKey>(Func<TRow, TKey> key) : RowRule<TRow>
{
    public override bool SameKey(TRow control, TRow candidate) => EqualityComparer<TKey>.Default.Equals(key(control), key(candidate));

    public override object? KeyOf(TRow row) => key(row);
}
