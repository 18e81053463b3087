namespace Shadowing.Comparison;

/// <summary>Holds two answers of one type against each other, member by member, in one pass compiled once per type.</summary>
/// <remarks>
/// Public properties and fields are compared, lists by position or by the key of a rule, dictionaries by key. Nothing is allocated when the
/// answers are equal. It never throws: what cannot be compared is incomparable. Safe for concurrent use.
/// </remarks>
/// <typeparam name="T">The answer's type.</typeparam>
public sealed class ResultComparer<T>
{
    private readonly ComparerPlan _plan;
    private readonly ComparisonLimits _limits;
    private readonly ValueVisitor<T> _root;

    /// <summary>Compiles the comparison.</summary>
    public ResultComparer(ComparisonRules? rules = null, ComparisonLimits? limits = null)
    {
        _plan = new(rules ?? ComparisonRules.None);
        _limits = limits ?? ComparisonLimits.Default;
        _root = _plan.Of<T>().Visit;
    }

    /// <summary>Compares the two answers of one request.</summary>
    /// <param name="request">What was asked; only rules that ask whether a row fits look at it.</param>
    /// <param name="clocks">The times at which the two were written, each by its own clock: such times are equal to each other.</param>
    public ComparisonResult Compare(T? control, T? candidate, object? request = null, (DateTime Control, DateTime Candidate)? clocks = null)
    {
        var walk = ComparisonWalk.Rent(_plan, _limits, request, clocks);
        try
        {
            _root(control!, candidate!, "", walk);
            return walk.Result(incomparable: null, failure: null);
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
}
