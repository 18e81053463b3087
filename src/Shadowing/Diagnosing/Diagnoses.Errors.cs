using System.Text.RegularExpressions;
using Shadowing.Model;

namespace Shadowing.Diagnosing;

/// <summary>Failures of the candidate's. Messages are looked at here, in memory, and go no further.</summary>
internal static partial class Diagnoses
{
    private static Diagnosis? OfErrors(Symptoms symptoms)
    {
        if (symptoms is { Outcome: Outcome.CandidateTimeout, Pair.CandidateError: ShadowTimeoutException { IsInOwnCode: true } })
        {
            return new(
                Cause.OwnCode,
                "The candidate ran out of time, and did again when it was asked once more. It spent little of that time in the database.");
        }

        if (symptoms.Outcome is Outcome.CandidateTimeout)
            return new(Cause.Slow, "The candidate ran out of time, and did again when it was asked once more.");
        if (symptoms.Pair?.CandidateError is not { } error) return null;
        var evidence = $"The candidate fails with {symptoms.ErrorType ?? error.GetType().Name} where the control "
            + (symptoms.Pair.ControlError is { } other ? $"fails with {other.GetType().Name}." : "answers.");
        return new(CauseOf(error, symptoms), evidence);
    }

    private static Cause CauseOf(Exception error, Symptoms symptoms)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case OverflowException: return Cause.Overflow;
                case ArgumentNullException { ParamName: "key" }: return Cause.NullKey;
                case InvalidOperationException when Says(cause, "could not be translated"): return Cause.Untranslatable;
                case InvalidOperationException when Says(cause, "more than one element"): return Cause.SecondRowThrows;
                case InvalidOperationException when Says(cause, "has been severed"): return Cause.CascadeLost;
                case InvalidOperationException when Says(cause, "user-initiated transactions"): return Cause.TransactionRefused;
                case InvalidOperationException when Says(cause, "contains no elements"):
                    return IsOfAggregate(symptoms) ? Cause.AggregateOfNothing : Cause.NoRowThrows;
                case InvalidOperationException when Says(cause, "Nullable object must have a value"):
                case InvalidCastException when Says(cause, "is null"):
                    return IsOfAggregate(symptoms) ? Cause.AggregateOfNothing : Cause.NullInRequiredMember;
                case ArgumentException or InvalidCastException when Says(cause, "Kind="): return Cause.TimeKindRefused;
            }
        }

        return symptoms.ErrorType is "22003" ? Cause.Overflow : Cause.Unknown;
    }

    private static bool IsOfAggregate(Symptoms symptoms) =>
        symptoms.Pair!.CandidateSql.Texts is [.., var last] && Aggregate().IsMatch(last);

    /// <summary>A statement that gives an aggregate and nothing else of rows.</summary>
    [GeneratedRegex(@"^\s*select\s+(coalesce\s*\(\s*)?(max|min|avg|sum)\s*\(", RegexOptions.IgnoreCase)]
    private static partial Regex Aggregate();

    private static bool Says(Exception error, string words) => error.Message.Contains(words, StringComparison.OrdinalIgnoreCase);
}
