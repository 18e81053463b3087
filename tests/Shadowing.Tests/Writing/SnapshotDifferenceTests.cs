using Shadowing.Model;
using Shadowing.Postgres.Writes;

namespace Shadowing.Tests.Writing;

/// <summary>What lies between two snapshots is the write's as far as the server's command tags say so, and else it is not decided by them.</summary>
public sealed class SnapshotDifferenceTests
{
    private static readonly WriteTable Table = new("t", "public", "t", [], [new("id", "id", "integer", KeyKind.Number, false, null, false)], []);

    [Fact]
    public void Rows_that_the_tags_count_are_the_writes()
    {
        var written = Compute([Row(1, "a", "10", "20"), Row(2, "b", "10", "20")], [Row(1, "A", "20"), Row(3, "c", "20")], "UPDATE 1", "DELETE 1", "INSERT 1");
        Assert.True(written.IsComplete);
        Assert.Equal(["1 A", "2 gone", "3 c"], Changes(written));
    }

    [Fact]
    public void Of_several_transactions_those_are_the_write_that_did_what_the_tags_say()
    {
        var written = Compute([Row(1, "a", "10", "20"), Row(2, "b", "10", "30")], [Row(1, "A", "20"), Row(2, "B", "30"), Row(3, "c", "30")], "UPDATE 1");
        Assert.Equal(["1 A"], Changes(written));
        // The other may have been a function of the write's own: the sandbox must say.
        Assert.False(written.IsComplete);
    }

    [Fact]
    public void A_query_that_may_have_changed_rows_is_not_taken_to_have_changed_none()
    {
        var written = Compute([Row(1, "a", "10", "20")], [Row(1, "A", "20")], "SELECT");
        Assert.False(written.IsComplete);
    }

    [Theory]
    [InlineData("UPDATE 1")]
    [InlineData("MERGE 1")]
    [InlineData("COPY")]
    public void Rows_beyond_those_that_were_read_are_asked_of_the_sandbox(string effect) =>
        Assert.False(Compute([Row(1, "a", "10")], [Row(1, "a", "10")], effect).IsComplete);

    [Fact]
    public void A_row_that_two_transactions_changed_in_turn_decides_nothing() =>
        Assert.Equal(IncomparableReason.NotConfirmable, Compute([Row(1, "a", "10", "20")], [Row(1, "B", "30")], "UPDATE 1").Before.Unusable);

    [Fact]
    public void What_another_transaction_did_to_a_bystander_takes_it_out_of_the_image()
    {
        var written = Compute([Row(1, "a", "10", "20"), Row(9, "b", "10", "30")], [Row(1, "A", "20"), Row(9, "B", "30")], ["UPDATE 1"], bystanders: [9]);
        Assert.Equal(["1 A"], Changes(written));
        Assert.Equal([new("t", 1)], written.Before.Rows.Keys);
        Assert.True(written.IsComplete);
    }

    [Fact]
    public void A_bystander_that_the_write_itself_changed_is_among_its_rows()
    {
        var written = Compute([Row(1, "a", "10", "20"), Row(9, "b", "10", "20")], [Row(1, "A", "20"), Row(9, "A", "20")], ["UPDATE 2"], bystanders: [9]);
        Assert.Equal(["1 A", "9 A"], Changes(written));
    }

    private static string[] Changes(WrittenRows written) =>
        [.. written.Changes.OrderBy(change => change.Key.Number).Select(change => $"{change.Key.Key} {change.Value ?? "gone"}")];

    private static WrittenRows Compute(StoredRow[] before, StoredRow[] after, params string[] effects) => Compute(before, after, effects, []);

    private static WrittenRows Compute(StoredRow[] before, StoredRow[] after, string[] effects, long[] bystanders)
    {
        var (old, now) = (Rows(before), Rows(after));
        var image = new RowImage(old.All.ToDictionary(row => row.Key, row => row.Value.Body)) { Bystanders = bystanders.Select(key => new RowKey("t", key)).ToHashSet() };
        return SnapshotDifference.Compute(image, old, now, effects);
    }

    private static StoredRows Rows(StoredRow[] rows)
    {
        var all = new StoredRows(100);
        foreach (var row in rows) all.Add(row);
        return all;
    }

    private static StoredRow Row(long key, string body, string from, string until = "0") => new(Table, body, [$"{key}"], from, until);
}
