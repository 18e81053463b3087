using System.Collections.Concurrent;
using Shadowing.Model;

namespace Shadowing.Comparison;

/// <summary>Compares two answers of one type, member by member, in one pass that is compiled once for each type.</summary>
/// <remarks>
/// Public properties and fields are compared: lists by position or by a rule's key, sets and dictionaries in any order, JSON by value.
/// Where a type has a hand-written <c>Equals</c>, that must agree too. What cannot be compared is never equal: a value that neither shows
/// all of its state nor has such an <c>Equals</c> is incomparable. Nothing is allocated when answers of records, lists and plain values
/// are equal. It never throws. Safe for concurrent use.
/// </remarks>
/// <typeparam name="T">The answer's type.</typeparam>
public sealed class ResultComparer<T>
{
    private const int MostSeen = 100;

    private readonly ComparerPlan _plan;
    private readonly ComparisonLimits _limits;
    private readonly ValueVisitor<T> _root;
    private readonly ConcurrentDictionary<NotComparablePath, bool> _seen = [];

    /// <summary>Compiles the comparison.</summary>
    public ResultComparer(ComparisonRules? rules = null, ComparisonLimits? limits = null)
    {
        _plan = new(rules ?? ComparisonRules.None);
        _limits = limits ?? ComparisonLimits.Default;
        _root = _plan.PlanFor<T>().Visit;
    }

    /// <summary>Places where answers had values that cannot be compared, each type once; bounded.</summary>
    internal IReadOnlyCollection<NotComparablePath> SeenNotComparable => [.. _seen.Keys];

    /// <summary>Compares the two answers of one request.</summary>
    /// <param name="request">The request; passed to the rules that decide whether a row fits it.</param>
    /// <param name="paired">What is the same though it differs, because two writes ran; null for reads.</param>
    public ComparisonResult Compare(T? control, T? candidate, object? request = null, PairedValues? paired = null)
    {
        var walk = ComparisonWalk.Rent(_plan, _limits, request, paired);
        try
        {
            _root(control!, candidate!, "", walk);
            return Noted(walk.Result());
        }
        catch (ComparisonTooLargeException)
        {
            return walk.Broken(IncomparableReason.TooLarge, failure: null);
        }
#pragma warning disable CA1031 // A getter of the caller's types may throw anything; the shadow must survive it.
        catch (Exception failure)
        {
            return walk.Broken(IncomparableReason.ComparerFailed, failure);
        }
#pragma warning restore CA1031
        finally
        {
            walk.Return();
        }
    }

    private ComparisonResult Noted(ComparisonResult result)
    {
        if (ReferenceEquals(result, ComparisonResult.Equal)) return result;
        foreach (var place in result.NotComparable)
        {
            if (_seen.Count < MostSeen) _seen.TryAdd(place, true);
        }

        return result;
    }
}
