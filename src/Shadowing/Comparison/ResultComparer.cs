using System.Collections.Concurrent;
using Shadowing.Model;

namespace Shadowing.Comparison;

/// <summary>Holds two answers of one type against each other, member by member, in one pass compiled once per type.</summary>
/// <remarks>
/// Public properties and fields are compared, lists by position or by the key of a rule, sets and dictionaries in any order, JSON by what
/// it says, and where a type has an <c>Equals</c> that somebody wrote, that is asked too. Unknown is never equal: a value that shows
/// neither all of its state nor has such an <c>Equals</c> is incomparable. Nothing is allocated when answers of records, lists and plain
/// values are equal. It never throws. Safe for concurrent use.
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

    /// <summary>Places at which values were met that cannot be compared, each type once; bounded.</summary>
    internal IReadOnlyCollection<NotComparablePath> SeenNotComparable => [.. _seen.Keys];

    /// <summary>Compares the two answers of one request.</summary>
    /// <param name="request">What was asked; only rules that ask whether a row fits look at it.</param>
    /// <param name="clocks">The times at which the two were written, each by its own clock: such times are equal to each other.</param>
    public ComparisonResult Compare(T? control, T? candidate, object? request = null, (DateTime Control, DateTime Candidate)? clocks = null)
    {
        var walk = ComparisonWalk.Rent(_plan, _limits, request, clocks);
        try
        {
            _root(control!, candidate!, "", walk);
            return Noted(walk.Result(incomparable: null, failure: null));
        }
        catch (ComparisonTooLargeException)
        {
            return walk.Result(IncomparableReason.TooLarge, failure: null);
        }
#pragma warning disable CA1031 // A getter of the caller's types may throw anything; the shadow must survive it.
        catch (Exception failure)
        {
            return walk.Result(IncomparableReason.ComparerFailed, failure);
        }
#pragma warning restore CA1031
        finally
        {
            walk.Return();
        }
    }

    private ComparisonResult Noted(ComparisonResult result)
    {
        foreach (var place in result.NotComparable)
        {
            if (_seen.Count < MostSeen) _seen.TryAdd(place, true);
        }

        return result;
    }
}
