using System.Globalization;
using Shadowing.Model;

namespace Shadowing.Postgres.Writes;

/// <summary>What a write has done, from the rows of a snapshot before it and one after it.</summary>
/// <remarks>
/// Other transactions may have changed rows between the two as well. Which of them were the write is told by what the server said of its
/// commands: as many rows added, changed and deleted. A wrong guess accuses no side, because the control must do the same in the sandbox.
/// </remarks>
internal static class SnapshotDifference
{
    /// <summary>With more transactions than these between the snapshots, none is told to be the write.</summary>
    private const int MostTransactions = 8;

    /// <param name="image">Of the rows before.</param>
    /// <param name="effects">What the write's commands did, as the server said.</param>
    public static WrittenRows Compute(RowImage image, StoredRows before, StoredRows after, IReadOnlyList<string> effects)
    {
        var all = Changes(image, before, after);
        var isCounted = effects.All(IsCounted);
        var counts = (Sum(effects, "INSERT"), Sum(effects, "UPDATE"), Sum(effects, "DELETE"));
        var own = isCounted && Count(all) != counts ? Own(all, counts) : null;
        // A bystander that the write has not changed may have been changed by another transaction.
        var named = all.Where(change => !change.IsBystander).Select(change => change.By).ToHashSet();
        bool IsOwn(RowChange change) => own is null ? !change.IsBystander || named.Contains(change.By) : own.Contains(change.By);
        RowChange[] mine = [.. all.Where(IsOwn)];
        if (mine.Any(change => change.IsOfSeveral))
            return WrittenRows.Untouched(RowImage.Empty with { Unusable = IncomparableReason.NotConfirmable });
        // The sandbox begins with rows that only the write itself has changed since.
        var dropped = all.Where(change => !IsOwn(change) && change.IsBystander).Select(change => change.Row).ToHashSet();
        return new("", dropped.Count == 0 ? image : Without(image, dropped), mine.Where(change => change.IsChanged)
            .ToDictionary(change => change.Row, change => change.Now))
        {
            Effects = effects,
            // A query has no rows in its tag, but a function that it calls may have changed what looks like another transaction's.
            IsComplete = isCounted && Count(mine) == counts && all.All(change => change.IsBystander || IsOwn(change)),
        };
    }

    private static RowImage Without(RowImage image, HashSet<RowKey> rows) => image with
    {
        Rows = image.Rows.Where(row => !rows.Contains(row.Key)).ToDictionary(),
        Bystanders = image.Bystanders.Where(row => !rows.Contains(row)).ToHashSet(),
    };

    private static RowChange[] Changes(RowImage image, StoredRows before, StoredRows after) =>
    [
        .. from row in before.All.Keys.Union(after.All.Keys)
           let old = before.All.GetValueOrDefault(row)
           let now = after.All.GetValueOrDefault(row)
           where old?.From != now?.From
           select new RowChange(row, old, now, image.Bystanders.Contains(row)),
    ];

    /// <summary>
    /// The transactions that together did what the commands did; null where none or several did. A write may have several: without one
    /// around them, each command is its own.
    /// </summary>
    private static HashSet<string>? Own(RowChange[] all, (int, int, int) counts)
    {
        string[] transactions = [.. all.Select(change => change.By).Distinct()];
        if (transactions.Length > MostTransactions) return null;
        HashSet<string>? found = null;
        for (var chosen = 0; chosen < 1 << transactions.Length; chosen++)
        {
            var some = transactions.Where((_, at) => (chosen & (1 << at)) != 0).ToHashSet();
            if (Count(all.Where(change => some.Contains(change.By))) != counts) continue;
            if (found is not null) return null;
            found = some;
        }

        return found;
    }

    private static (int Added, int Replaced, int Deleted) Count(IEnumerable<RowChange> changes)
    {
        var (added, replaced, deleted) = (0, 0, 0);
        foreach (var change in changes)
        {
            if (change.Old is null) added++;
            else if (change.Now is null) deleted++;
            else replaced++;
        }

        return (added, replaced, deleted);
    }

    private static int Sum(IReadOnlyList<string> effects, string tag) => effects
        .Where(effect => effect.StartsWith(tag, StringComparison.Ordinal)).Sum(effect => RowsOf(effect[tag.Length..]));

    private static int RowsOf(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out var rows) ? rows : 0;

    /// <summary>Whether the rows that a command changed are known by its tag.</summary>
    private static bool IsCounted(string effect) =>
        effect is "SELECT" or "FAILED" or StatementLedger.Refused || effect.StartsWith("INSERT ", StringComparison.Ordinal)
        || effect.StartsWith("UPDATE ", StringComparison.Ordinal) || effect.StartsWith("DELETE ", StringComparison.Ordinal);

    /// <summary>A row with another version after than before.</summary>
    private sealed record RowChange(RowKey Row, StoredRow? Before, StoredRow? After, bool IsBystander)
    {
        public string? Old => Before?.Body;

        public string? Now => After?.Body;

        /// <summary>The transaction, or the savepoint, that made it.</summary>
        public string By => After?.From ?? Before!.Until;

        /// <summary>Whether several transactions have changed it in turn, which is not the work of one write.</summary>
        public bool IsOfSeveral => Before is not null && After is not null && Before.Until != After.From;

        /// <summary>Whether what is in it is another.</summary>
        public bool IsChanged => Old != Now;
    }
}
