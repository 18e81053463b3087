using Shadowing.Comparison;
using Shadowing.Model;

namespace Shadowing.Journal;

/// <summary>What this replica knows of one signature. Not safe for concurrent use: the journal's lock is around it.</summary>
internal sealed class GroupState(Signature signature, Outcome outcome)
{
    private const int Coincidences = 3;

    private readonly List<MismatchSample> _early = [];
    private readonly Queue<MismatchSample> _recent = [];
    private readonly Dictionary<string, long> _causes = [];
    private readonly Dictionary<string, NamedDiagnosis> _latest = [];
    private readonly HashSet<string> _shapes = [];
    private readonly HashSet<string> _fingerprints = [];
    private readonly HashSet<string> _builds = [];
    private long _count;
    private long _accepted;
    private long _due;
    private bool _isCritical;
    private DateTimeOffset _firstSeen;
    private DateTimeOffset _lastSeen;

    public void Add(MismatchSample sample, MismatchNote note)
    {
        if (_count++ == 0) _firstSeen = sample.At;
        if (note.IsAccepted) _accepted++;
        if (note.IsDue) _due++;
        _lastSeen = sample.At;
        _isCritical |= note.IsCritical;
        _fingerprints.Add(sample.Fingerprint);
        _builds.Add(note.Build);
        if (_shapes.Count < MismatchGroup.MostShapes) _shapes.Add(sample.Shape);
        _causes[sample.Diagnosis.Cause] = _causes.GetValueOrDefault(sample.Diagnosis.Cause) + 1;
        _latest[sample.Diagnosis.Cause] = sample.Diagnosis;
        if (_early.Count < MismatchGroup.SamplesAtEachEnd)
        {
            _early.Add(sample);
            return;
        }

        if (_recent.Count == MismatchGroup.SamplesAtEachEnd) _recent.Dequeue();
        _recent.Enqueue(sample);
    }

    public void ForgetRaw(Func<RawSample, bool> isOver)
    {
        for (var i = 0; i < _early.Count; i++) _early[i] = Without(_early[i], isOver);
        for (var i = _recent.Count; i > 0; i--) _recent.Enqueue(Without(_recent.Dequeue(), isOver));
    }

    public MismatchGroup Read()
    {
        var isRace = signature.Differences.Count > 0
            && signature.Differences.All(pattern => pattern.Kind == DifferenceKind.Concurrency.Wire());
        return new(
            signature.Id, signature.Operation, outcome.Wire(), MismatchGroup.SeverityOf(_isCritical), signature.Differences,
            signature.ErrorType, _count,
            _accepted, isRace && _count >= Coincidences, _firstSeen, _lastSeen, [.. _fingerprints], [.. _shapes],
            new Dictionary<string, long>(_causes),
            _latest[_causes.MaxBy(cause => cause.Value).Key], [.. _early, .. _recent])
        {
            Builds = [.. _builds],
            Due = _due,
        };
    }

    private static MismatchSample Without(MismatchSample sample, Func<RawSample, bool> isOver) =>
        sample.Raw is { } raw && isOver(raw) ? sample with { Raw = null } : sample;
}
