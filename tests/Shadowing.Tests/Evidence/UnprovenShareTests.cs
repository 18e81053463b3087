using CsCheck;
using Shadowing.Evidence;

namespace Shadowing.Tests.Evidence;

public sealed class UnprovenShareTests
{
    private static readonly Gen<UnprovenShare> Shares =
        Gen.Select(Gen.Int[1, 8], Gen.Long[0, 3000], Gen.Long[0, 3000], (epoch, unproven, proven) => (epoch, unproven, proven)).List[0, 6]
            .Select(counts => counts.Aggregate(UnprovenShare.None, (share, count) =>
                share.Count(count.epoch, count.unproven, count.unproven + count.proven).Looked()));

    [Fact]
    public void Where_nothing_was_seen_everything_may_be_unproven() => Assert.Equal(1, UnprovenShare.None.Looked().Bound);

    [Fact]
    public void Clean_traffic_is_bounded_at_the_alpha_of_its_epoch()
    {
        var share = UnprovenShare.None.Count(1, 0, 1000).Looked();
        Assert.Equal(ParityBound.Upper(0, 1000, 0.025), share.Bound);
    }

    [Fact]
    public void The_hours_before_anything_was_proven_are_forgotten()
    {
        var share = UnprovenShare.None;
        for (var i = 0; i < 100; i++) share = share.Count(share.Epoch, unproven: 100, requests: 100).Looked();
        Assert.Equal(1, share.Bound);
        for (var i = 0; i < 120; i++) share = share.Count(share.Epoch, unproven: 0, requests: 100).Looked();
        Assert.InRange(share.Bound, 0, 0.01);
    }

    [Fact]
    public void Each_epoch_is_twice_as_long_as_the_one_before()
    {
        List<int> starts = [];
        var share = UnprovenShare.None;
        for (var n = 0; n < 16 * 1024; n += 64)
        {
            if (share.Epoch > starts.Count) starts.Add(n);
            share = share.Count(share.Epoch, 0, 64);
        }

        Assert.Equal([0, 1024, 3 * 1024, 7 * 1024, 15 * 1024], starts);
    }

    [Fact]
    public void The_least_bound_is_kept_through_a_few_requests_of_an_unproven_shape()
    {
        var clean = UnprovenShare.None.Count(1, 0, 1024).Looked();
        var later = clean.Count(2, unproven: 2, requests: 50).Looked();
        Assert.Equal(clean.Bound, later.Bound);
    }

    [Fact]
    public void Traffic_that_has_moved_to_unproven_shapes_is_not_hidden_by_an_older_bound()
    {
        var clean = UnprovenShare.None.Count(1, 0, 1024).Looked();
        var moved = clean.Count(2, unproven: 150, requests: 300).Looked();
        Assert.InRange(moved.Bound, 0.5, 0.7);
    }

    [Fact]
    public void Replicas_merge_in_any_order() => Gen.Select(Shares, Shares, Shares).Sample((a, b, c) =>
    {
        Same(a.Merge(b), b.Merge(a));
        Same(a.Merge(b).Merge(c), a.Merge(b.Merge(c)));
        Same(a, a.Merge(UnprovenShare.None));
    });

    [Fact]
    public void Looking_never_raises_what_was_kept() => Shares.Sample(share => share.Looked().Least <= share.Least);

    [Fact]
    public void More_unproven_requests_never_lower_the_bound() => Gen.Select(Shares, Gen.Long[1, 500]).Sample((share, more) =>
        share.Count(Math.Max(1, share.Epochs.Length), more, more).Looked().Bound >= share.Looked().Bound);

    private static void Same(UnprovenShare left, UnprovenShare right)
    {
        Assert.Equal(left.Epochs, right.Epochs);
        Assert.Equal(left.Least, right.Least);
    }
}
