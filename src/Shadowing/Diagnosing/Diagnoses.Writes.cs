using Shadowing.Comparison;

namespace Shadowing.Diagnosing;

/// <summary>What writes left of the rows.</summary>
internal static partial class Diagnoses
{
    private const string OverLong = "22001";
    private const string ForeignKey = "23503";

    private static Diagnosis? OfWrites(Symptoms symptoms)
    {
        if (WriteSymptoms.FromSymptoms(symptoms) is not { } write) return null;
        return OfRefusals(symptoms) ?? OfNotFound(write, symptoms)
            ?? (write.Stored.Count == 0 ? OfEchoes(symptoms) : OfWrittenRows(write) ?? OfClocks(write) ?? OfColumns(write, symptoms));
    }

    /// <summary>The candidate has said that it wrote nothing: no write is lost that was refused.</summary>
    private static Diagnosis? OfNotFound(WriteSymptoms write, Symptoms symptoms)
    {
        if (!write.CandidateWroteNothing) return null;
        if (OfLookups(symptoms) is { } lookup) return lookup;
        return Find(symptoms, difference => difference is { Path: "", Kind: DifferenceKind.NullVsValue, Candidate: null }) is null ? null
            : new(Cause.FoundDifferently, "The control wrote and answered; the candidate answers that there is no such row.");
    }

    /// <summary>One side refused what the other did.</summary>
    private static Diagnosis? OfRefusals(Symptoms symptoms)
    {
        for (var cause = symptoms.Pair!.CandidateError; cause is not null; cause = cause.InnerException)
        {
            if (cause.GetType().Name is "DbUpdateConcurrencyException")
                return new(
                    Cause.MissingRowThrows, "The candidate fails because no row was affected, where the control says that there is none.");
        }

        if (symptoms.ErrorType is ForeignKey && symptoms.Pair.ControlError is null)
            return new(
                Cause.MissingRowThrows, "The candidate is refused by a foreign key, where the control says that there is no such row.");

        if (Find(symptoms, difference => difference is { Path: "", Kind: DifferenceKind.Error }) is not { Control: string refusal } error)
            return null;
        if (error.Candidate is null)
        {
            return refusal == OverLong
                ? new(Cause.TruncatedText, "The control's text is too long for its column; the candidate stored it all the same, cut.")
                : new(Cause.AcceptedWhatIsRefused, $"The control is refused with {refusal}; the candidate stored it.");
        }

        return IsSqlState(refusal) && error.Candidate is string other && !IsSqlState(other)
            ? new(Cause.HiddenDatabaseError, $"The control fails with {refusal}; of the candidate's failure the database's own is lost.")
            : null;
    }

    private static bool IsSqlState(string error) =>
        error.Length == 5 && error.All(char.IsAsciiLetterOrDigit) && char.IsAsciiDigit(error[0]);

    private static Diagnosis? OfEchoes(Symptoms symptoms) =>
        Find(symptoms, difference => difference.Kind is DifferenceKind.Value or DifferenceKind.NullVsValue && difference.Control is not Enum
            && difference.Candidate is not Enum) is { } echoed
            ? new(Cause.EchoedEntity, $"{echoed.Pattern}: the rows are equal; the candidate's answer is not what it stored.") : null;

    private static Diagnosis? OfWrittenRows(WriteSymptoms write)
    {
        if (write.Elsewhere.FirstOrDefault() is { Table: { } table })
            return new(Cause.WroteElsewhere, $"rows.{table}: rows were touched that the request does not name.");
        var isTouchAlone = write.Columns.Count > 0 && write.Columns.All(IsNotTouched);
        if (write.CandidateWroteNothing && !isTouchAlone)
            return new(Cause.WriteLost, $"{Paths(write.Stored)}: the candidate answered, and stored nothing of it.");
        if (write.Undeleted.Any() || write.Deleted.Any())
        {
            var tables = string.Join(", ", write.Undeleted.Concat(write.Deleted).Select(row => row.Table).Distinct());
            return new(Cause.CascadeLost, $"rows.{tables}: the sides do not agree which rows are deleted.");
        }

        if (write.IsRepeated)
            return new(Cause.WrittenTwice, $"{Paths(write.Stored)}: the candidate made more rows of the same kind than the control.");
        if (write.IsUnderAnotherKey)
            return new(Cause.OtherKey, $"{Paths(write.Stored)}: both sides made a row there, each under a key of its own.");
        if (write.MadeByControl.Any())
            return new(Cause.WriteLost, $"{Paths(write.Stored)}: the candidate answered, and did not make the row.");
        return isTouchAlone
            ? new(Cause.NotTouched,
                $"{Paths(write.Stored)}: the control has the time of the write there, the candidate what it was before.") : null;
    }

    /// <summary>
    /// The row bears the time of the write nowhere: where it does elsewhere, the write is known there and the time of a transition is
    /// missing.
    /// </summary>
    private static bool IsNotTouched(ColumnSymptom column) =>
        column is { ControlHasClock: true, IsKeptByCandidate: true, Before: not null, CandidateTouchedRow: false };

    private static Diagnosis? OfClocks(WriteSymptoms write)
    {
        ColumnSymptom[] clocks =
            [.. write.Columns.Where(column => column.ControlHasClock && column.Candidate is not null && !column.IsKeptByCandidate)];
        if (clocks.Length == 0) return null;
        var where = Paths(clocks.Select(clock => clock.Of));
        if (clocks.Any(clock => clock.Candidate is "-infinity" or "infinity" or DateTime { Year: 1 }))
            return new(Cause.UnsetTime, $"{where}: the value of a time that was never set is stored instead of the database's clock.");
        DateTime[] times = [.. clocks.Select(clock => clock.Candidate).OfType<DateTime>()];
        var tables = clocks.Select(clock => clock.Of.Pattern[..clock.Of.Pattern.IndexOf('[', StringComparison.Ordinal)]).Distinct().Count();
        if (tables > 1 && times.Distinct().Count() > 1)
            return new(Cause.TwoClocks,
                $"{where}: one moment in the control, {times.Distinct().Count()} in the candidate: the clock was read more than once.");
        var inMilliseconds = times.All(time => time.Ticks % TimeSpan.TicksPerMillisecond == 0) ? ", in milliseconds" : "";
        return new(
            Cause.ForeignClock, $"{where}: the control has the time of its transaction, the candidate another clock's{inMilliseconds}.");
    }

    private static Diagnosis? OfColumns(WriteSymptoms write, Symptoms symptoms)
    {
        // A transition clears its own time. Who clears other columns with it did not mean the time: a whole row was sent, of which little
        // was known.
        var cleared =
            write.Columns.Where(column => column is { IsKeptByControl: true, Candidate: null } && Requested(column, symptoms) is null)
            .Select(column => column.Of).ToArray();
        if (cleared.Select(difference => difference.Pattern).Distinct().Count() > 1)
            return new(Cause.OverwrittenColumns, $"{Paths(cleared)}: the request names none of them; the candidate stores NULL there.");

        // A time that belongs to a transition tells more than the columns that changed with it.
        foreach (var column in write.Columns.OrderBy(column => column.Control is DateTime || column.Candidate is DateTime ? 0 : 1))
        {
            if (OfColumn(column, symptoms) is { } diagnosis) return diagnosis;
        }

        return null;
    }

    private static Diagnosis? OfColumn(ColumnSymptom column, Symptoms symptoms)
    {
        var path = column.Of.Pattern;
        var requested = Requested(column, symptoms);
        var isTime = column.Control is DateTime || column.Candidate is DateTime;
        return column switch
        {
            { ControlHasClock: true, IsKeptByCandidate: true, CandidateTouchedRow: true }
                or { ControlHasClock: true, Candidate: null, IsNew: false } =>
                new(Cause.LostTransition, $"{path}: the control sets the time of the transition, the candidate leaves it as it was."),
            { IsKeptByControl: true, Candidate: null } when isTime =>
                new(Cause.ClearedTime, $"{path}: the control leaves the time as it was, the candidate clears it."),
            { IsKeptByControl: true } when isTime =>
                new(Cause.RepeatedTransition, $"{path}: the control leaves the time as it was, the candidate sets it again."),
            _ when IsNotTouched(column) =>
                new(Cause.NotTouched, $"{path}: the control has the time of the write there, the candidate what it was before."),
            { Control: "", Candidate: null } => new(Cause.EmptyToNull, $"{path}: the control stores the empty text, the candidate NULL."),
            { IsKeptByControl: true, Candidate: null } =>
                new(Cause.OverwrittenColumns, $"{path}: the request does not name it; the candidate stores NULL there."),
            { IsKeptByControl: true } => new(Cause.MassAssignment, $"{path}: the control leaves it as it was, the candidate changes it."),
            { IsKeptByCandidate: true } => new(Cause.WriteLost, $"{path}: the control changes it, the candidate leaves it as it was."),
            { IsNew: true, Control: not null } when requested is null => new(
                Cause.DefaultNotApplied,
                $"{path}: the control has the database's default, the candidate {(column.Candidate is null ? "NULL" : "another value")}."),
            { IsNew: true } when requested is null =>
                new(Cause.MassAssignment, $"{path}: the request does not name it; the candidate stores a value of its own."),
            { IsNew: true } when Equals(requested, column.Candidate) =>
                new(Cause.MassAssignment, $"{path}: the candidate stores what was asked for, the control does not."),
            { IsNew: true, Control: bool } =>
                new(Cause.DefaultNotApplied, $"{path}: the value that was asked for passed for unset, and a default was stored."),
            { Control: string control, Candidate: string candidate } when Visible(control) == Visible(candidate) =>
                new(Cause.TrimmedText, $"{path}: the texts differ in blanks and in characters that cannot be seen."),
            _ => null,
        };
    }

    /// <summary>
    /// What is stored is neither what was asked for nor like it: it passed for unset. Comes last: a text may have been spoilt in better
    /// known ways.
    /// </summary>
    private static Diagnosis? OfUnsent(Symptoms symptoms) =>
        WriteSymptoms.FromSymptoms(symptoms)?.Columns.FirstOrDefault(column =>
            column.IsNew && Equals(Requested(column, symptoms), column.Control)) is { } unsent
            ? new(Cause.DefaultNotApplied, $"{unsent.Of.Pattern}: the value that was asked for passed for unset, and another was stored.")
            : null;

    private static string Visible(string text) => string.Concat(text.Where(
        letter => !char.IsWhiteSpace(letter) && !char.IsControl(letter) && char.GetUnicodeCategory(letter)
            is not System.Globalization.UnicodeCategory.Format));

    /// <summary>
    /// The value of the request's member that has the column's name; else a text of the request that one side has stored there; null where
    /// there is neither.
    /// </summary>
    private static object? Requested(ColumnSymptom column, Symptoms symptoms)
    {
        var name = column.Column.Replace("_", "", StringComparison.Ordinal);
        var members = Members.PropertiesOf(symptoms.Request).ToArray();
        var named = members.FirstOrDefault(member => member.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        return named is not null
            ? named.GetValue(symptoms.Request)
            : members.Select(member => member.GetValue(symptoms.Request)).OfType<string>()
                .FirstOrDefault(text => text.Length > 0 && (Equals(text, column.Control) || Equals(text, column.Candidate)));
    }
}
