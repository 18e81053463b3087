using Shadowing.Serving;

namespace Shadowing.Tests.Writing;

/// <summary>One user's writes, or writes to one row, take no more than a part of what all users share.</summary>
public sealed class WriteCrowdsTests
{
    [Fact]
    public void So_many_writes_to_one_row_or_of_one_user_are_in_at_once_and_each_that_ends_lets_another_in()
    {
        var crowds = new WriteCrowds();
        var inside = Enumerable.Range(0, WriteCrowds.Most).Select(user => crowds.TryEnter(1, user)).ToArray();
        Assert.DoesNotContain(null, inside);
        Assert.Null(crowds.TryEnter(1, 99));
        Assert.NotNull(crowds.TryEnter(2, 99));
        inside[0]!.Dispose();
        inside[0]!.Dispose();
        Assert.NotNull(crowds.TryEnter(1, 99));
        Assert.Null(crowds.TryEnter(1, 98));

        for (var row = 0; row < WriteCrowds.Most; row++) Assert.NotNull(crowds.TryEnter(100 + row, 50));
        Assert.Null(crowds.TryEnter(200, 50));
        Assert.NotNull(crowds.TryEnter(200, null));
        Assert.NotNull(crowds.TryEnter(null, null));
    }
}
