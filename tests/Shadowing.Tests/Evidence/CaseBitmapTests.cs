using CsCheck;
using Shadowing.Evidence;

namespace Shadowing.Tests.Evidence;

public sealed class CaseBitmapTests
{
    private static readonly Gen<List<ulong>> Hashes = Gen.ULong.List[0, 400];

    [Fact]
    public void A_repeated_case_is_counted_once() => Hashes.Sample(hashes =>
    {
        var bitmap = Shape([.. hashes, .. hashes]);
        Assert.Equal(Shape(hashes).Occupied, bitmap.Occupied);
        Assert.All(hashes, hash => Assert.False(bitmap.Add(hash)));
    });

    [Fact]
    public void The_count_never_exceeds_the_distinct_cases() =>
        Hashes.Sample(hashes => Shape(hashes).Occupied <= hashes.Distinct().Count());

    [Fact]
    public void The_count_is_how_often_a_case_was_new() => Hashes.Sample(hashes =>
    {
        var bitmap = CaseBitmap.ForShape();
        Assert.Equal(hashes.Count(bitmap.Add), bitmap.Occupied);
    });

    [Theory]
    [InlineData(392)]
    [InlineData(3937)]
    public void Hashes_that_differ_in_a_few_bits_hardly_collide(int cases)
    {
        var bitmap = CaseBitmap.ForOperation();
        for (var i = 0; i < cases; i++) bitmap.Add((ulong)i);
        Assert.InRange(bitmap.Occupied, cases * 0.99, cases);
    }

    [Fact]
    public void A_full_capacity_takes_not_half_as_many_cases_again()
    {
        var bitmap = CaseBitmap.ForShape();
        for (var i = 0UL; i < CaseBitmap.ShapeBits * 3 / 4; i++) bitmap.Add(i);
        Assert.InRange(bitmap.Occupied, CaseBitmap.CapacityOf(CaseBitmap.ShapeBits), CaseBitmap.ShapeBits);
    }

    [Fact]
    public void Merging_is_a_union_in_any_order_and_any_number_of_times() => Gen.Select(Hashes, Hashes).Sample((left, right) =>
    {
        var union = Shape([.. left, .. right]);
        Assert.Equal(Contents(union), Contents(Merged(left, right)));
        Assert.Equal(Contents(union), Contents(Merged(right, left)));
        var again = Merged(left, right);
        again.Merge(Shape(right));
        again.Merge(again);
        Assert.Equal(Contents(union), Contents(again));
    });

    [Fact]
    public void The_changed_pages_carry_everything_to_another_bitmap() => Gen.Select(Hashes, Hashes).Sample((first, second) =>
    {
        var (source, target) = (CaseBitmap.ForShape(), CaseBitmap.ForShape());
        foreach (var batch in new[] { first, second })
        {
            foreach (var hash in batch) source.Add(hash);
            foreach (var page in source.TakeChanged()) target.MergeStored(page);
            Assert.Empty(source.TakeChanged());
        }

        Assert.Equal(source.Occupied, target.Occupied);
        Assert.Empty(target.TakeChanged());
        Assert.Equal(Contents(source), Contents(target));
    });

    [Fact]
    public void Only_the_page_of_a_new_case_changes()
    {
        var bitmap = CaseBitmap.ForOperation();
        bitmap.Add(42);
        var page = Assert.Single(bitmap.TakeChanged());
        Assert.Equal(CasePage.Size, page.Bytes.Length);
        bitmap.Add(42);
        Assert.Empty(bitmap.TakeChanged());
    }

    [Fact]
    public void A_page_that_could_not_be_written_is_taken_again()
    {
        var bitmap = Shape([1, 2, 3]);
        var taken = bitmap.TakeChanged();
        bitmap.PutBack(taken[0]);
        Assert.Equal(taken[0].Bytes.ToArray(), Assert.Single(bitmap.TakeChanged()).Bytes.ToArray());
    }

    [Fact]
    public void A_page_of_another_size_or_place_is_refused()
    {
        var bitmap = CaseBitmap.ForShape();
        Assert.Throws<ArgumentException>(() => bitmap.MergeStored(new(0, new byte[CasePage.Size - 1])));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.MergeStored(new(4, new byte[CasePage.Size])));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.MergeStored(new(-1, new byte[CasePage.Size])));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.Merge(CaseBitmap.ForOperation()));
        Assert.Equal(0, bitmap.Occupied);
    }

    [Fact]
    public async Task Threads_that_add_while_pages_are_taken_lose_and_double_nothing()
    {
        var (source, target) = (CaseBitmap.ForOperation(), CaseBitmap.ForOperation());
        var adding = Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (var i = 0UL; i < 20_000; i++) source.Add((i * 2) + ((ulong)thread % 2));
        })).ToArray();
        while (!adding.All(task => task.IsCompleted))
        {
            foreach (var page in source.TakeChanged()) target.MergeStored(page);
        }

        await Task.WhenAll(adding);
        foreach (var page in source.TakeChanged()) target.MergeStored(page);
        var alone = CaseBitmap.ForOperation();
        for (var i = 0UL; i < 40_000; i++) alone.Add(i);
        Assert.Equal(alone.Occupied, source.Occupied);
        Assert.Equal(Contents(alone), Contents(target));
    }

    private static CaseBitmap Shape(IEnumerable<ulong> hashes)
    {
        var bitmap = CaseBitmap.ForShape();
        foreach (var hash in hashes) bitmap.Add(hash);
        return bitmap;
    }

    private static CaseBitmap Merged(IEnumerable<ulong> left, IEnumerable<ulong> right)
    {
        var bitmap = Shape(left);
        bitmap.Merge(Shape(right));
        return bitmap;
    }

    /// <summary>Every bit, by putting every page back and taking it.</summary>
    private static byte[] Contents(CaseBitmap bitmap)
    {
        for (var page = 0; page < bitmap.Bits / 8 / CasePage.Size; page++) bitmap.PutBack(new(page, default));
        return [.. bitmap.TakeChanged().SelectMany(page => page.Bytes.ToArray())];
    }
}
