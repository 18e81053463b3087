using Shadowing.Model;

namespace Shadowing.Evidence;

/// <summary>What this run has seen of one shape since the last batch, and the cases it has seen at all. Safe for concurrent use.</summary>
internal sealed class ShapeLedger(string operation, string shape, int epoch = 0)
{
    private static readonly CaseSet[] Sets = [CaseSet.All, CaseSet.Live, CaseSet.Mismatch];

    private readonly CaseBitmap[] _sets = [CaseBitmap.ForShape(), CaseBitmap.ForShape(), CaseBitmap.ForShape()];
    private double _sampleShare = 1;
    private long _requests, _comparisons, _differing, _tolerated, _transients, _incomparable, _shed, _trials, _more;
    private long _doubtful, _due, _decided, _wrong, _withRows;
    private long[]? _doubtByUser;

    public string Operation => operation;

    public string Shape => shape;

    /// <summary>How often the shape's evidence had begun anew when this began.</summary>
    public int Epoch => epoch;

    /// <summary>Whether the gate calls the shape proven, as last known.</summary>
    public bool IsProven { get; set; }

    /// <summary>The share of the requests that may be compared which is, from 0 to 1: see <see cref="CoveragePlan"/>.</summary>
    public double SampleShare
    {
        get => Volatile.Read(ref _sampleShare);
        set => Volatile.Write(ref _sampleShare, value);
    }

    public void Arrived() => Interlocked.Increment(ref _requests);

    public void Shed() => Interlocked.Increment(ref _shed);

    /// <summary>A request that stands for the traffic has come.</summary>
    public void Due() => Interlocked.Increment(ref _due);

    public void Compared(ComparedFacts facts)
    {
        Interlocked.Increment(ref _comparisons);
        switch (facts.Outcome)
        {
            case Outcome.Mismatch or Outcome.CandidateError or Outcome.CandidateTimeout:
                Interlocked.Increment(ref _differing);
                break;
            case Outcome.Tolerated:
                Interlocked.Increment(ref _tolerated);
                break;
            case Outcome.Transient:
                Interlocked.Increment(ref _transients);
                break;
            case Outcome.Incomparable:
                Interlocked.Increment(ref _incomparable);
                if (!facts.CandidateFlaked) Doubt(facts.User);
                break;
        }

        if (facts.IsDecided && facts.HasRows) Interlocked.Increment(ref _withRows);
        if (facts.IsDecided && facts.IsDue)
        {
            Interlocked.Increment(ref _decided);
            if (facts.Outcome.IsWrong()) Interlocked.Increment(ref _wrong);
        }

        if (facts.CandidateSentMore is not { } more) return;
        Interlocked.Increment(ref _trials);
        if (more) Interlocked.Increment(ref _more);
    }

    private void Doubt(long? user)
    {
        Interlocked.Increment(ref _doubtful);
        if (user is not { } known) return;
        if (Volatile.Read(ref _doubtByUser) is null) Interlocked.CompareExchange(ref _doubtByUser, new long[UserBuckets.Count], null);
        Interlocked.Increment(ref _doubtByUser![UserBuckets.BucketFor(known)]);
    }

    private Dictionary<int, long> TakeDoubtByUser()
    {
        var taken = new Dictionary<int, long>();
        if (Volatile.Read(ref _doubtByUser) is not { } counts) return taken;
        for (var i = 0; i < counts.Length; i++)
        {
            if (Interlocked.Exchange(ref counts[i], 0) is > 0 and var count) taken[i] = count;
        }

        return taken;
    }

    public void Add(ulong hash, bool isLive, bool isWrong)
    {
        _sets[0].Add(hash);
        if (isLive) _sets[1].Add(hash);
        if (isWrong) _sets[2].Add(hash);
    }

    public ShapeBatch TakeCounts() => new(operation, shape, epoch, new(
        Take(ref _requests), Take(ref _comparisons), Take(ref _differing), Take(ref _tolerated), Take(ref _transients),
        Take(ref _incomparable),
        Take(ref _shed), Take(ref _trials), Take(ref _more), Take(ref _doubtful), Take(ref _due), Take(ref _decided), Take(ref _wrong),
        Take(ref _withRows)))
    {
        DoubtByUser = TakeDoubtByUser(),
    };

    public IEnumerable<PageBatch> TakePages() => Sets.Zip(_sets)
        .SelectMany(set => set.Second.TakeChanged().Select(page => new PageBatch(operation, shape, epoch, set.First, page)));

    private static long Take(ref long count) => Interlocked.Exchange(ref count, 0);
}
