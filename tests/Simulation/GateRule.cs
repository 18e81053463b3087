using Shadowing.Evidence;
using Shadowing.Model;
using Shadowing.Rollout;
using Shadowing.Settings;

namespace Simulation;

/// <summary>The real gate, controller rules and sampling, at the default policy and automatic.</summary>
/// <param name="dismisses">
/// Whether somebody calls each mismatch unimportant at once, so that nothing but the proof itself stands in the way; else one that is open
/// holds for good, as it does in life until a new build comes.
/// </param>
internal sealed class GateRule(Scenario scenario, bool dismisses) : Rule(scenario)
{
    private const string Operation = "op";
    private static readonly ShadowingOptions Options = new();
    private static readonly PairedLatency Fast = new(new(60, -600, 6600), new(60, -400, 3200), new(60, -300, 2200));
    private static readonly DateTimeOffset Start = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);

    private readonly (long Requests, long Cases, long Wrong)[] _shapes = new (long, long, long)[Traffic.Shapes];
    private RolloutState _state = new(Operation, 0, Stage.Shadow, "candidate", IsAutomatic: true);
    private GateReading _reading = GateReading.None;
    private IReadOnlyDictionary<string, double> _shares = new Dictionary<string, double>();
    private UnprovenShare _unproven = UnprovenShare.None;
    private TimeSpan _soak;

    public override void Step(Seen[] seen, Random random)
    {
        var (served, found) = (0L, 0L);
        var (servable, proven) = _reading.JudgedOf(Operation) is { } judged
            ? (judged.Servable, Gate.ProvenShapes(judged.Evidence, GatePolicy.Default)) : (new HashSet<string>(), new HashSet<string>());
        long unproven = 0, requests = 0;
        for (var i = 0; i < seen.Length; i++)
        {
            var share = _state.Stage.ShadowPercent / 100 * _shares.GetValueOrDefault(Name(i), 1);
            _shapes[i].Requests += seen[i].Requests;
            _shapes[i].Cases += Draw.Part(seen[i].Cases - seen[i].WrongCases, share, random);
            var wrong = Draw.Part(seen[i].WrongCases, share, random);
            _shapes[i].Cases += wrong;
            _shapes[i].Wrong += wrong;
            found += Draw.Part(seen[i].WrongRequests, share, random);
            requests += seen[i].Requests;
            if (!proven.Contains(Name(i))) unproven += seen[i].Requests;
            if (servable.Contains(Name(i))) served += Draw.Part(seen[i].WrongRequests, _state.Stage.ServePercent / 100, random);
        }

        _unproven = _unproven.Count(_unproven.Epoch, unproven, requests).Looked();
        _soak += Look;
        _state = _state with { InStage = _state.InStage + Look };

        // The first that is found takes the candidate back: until then users get on average every other wrong answer before it.
        if (found > 0 && _state.Stage.Serves)
        {
            WrongServed += Math.Ceiling(served / (found + 1.0));
            Apply(new RollBack("service", "a mismatch while it serves"), null);
            if (dismisses) Apply(new Acknowledge("somebody", "dismissed"), null);
        }
        else
        {
            WrongServed += served;
        }

        HasStopped = !dismisses && _shapes.Any(shape => shape.Wrong > 0);
        Decide();
        Stage = _state.Stage;
    }

    private void Decide()
    {
        var evidence = Evidence();
        _reading = GateReading.Judge(Start + _soak, "candidate", GatePolicy.Default, [evidence], _ => _state, _ => shape => shape);
        var judged = _reading.Operations[0];
        _shares = CoveragePlan.SampleShares(judged.Evidence, GatePolicy.Default, _state.Stage, Options);
        if (judged.Decision.Decision is not GateVerdict.Advance) return;
        Apply(new MoveTo(judged.Decision.Target, false, "service", judged.Decision.Sentence), judged.Decision);
        Enter(_state.Stage, GatePolicy.Default.EpsilonToEnter(_state.Stage) ?? 0);
    }

    private OperationEvidence Evidence()
    {
        var (requests, cases, wrong) = (_shapes.Sum(shape => shape.Requests), _shapes.Sum(shape => shape.Cases), _shapes.Sum(shape => shape.Wrong));
        return new()
        {
            Operation = Operation,
            Candidate = "candidate",
            Cases = cases,
            LiveCases = cases,
            BusyHourCases = cases / 2,
            Mismatches = wrong,
            Sample = new() { Due = requests, Decided = requests - (requests / 500), Wrong = wrong, Tries = requests },
            OpenMismatches = dismisses ? 0 : Math.Min(wrong, 1),
            Comparisons = requests,
            Incomparable = requests / 500,
            Statements = new(0, requests),
            Latency = Fast,
            UnprovenBound = _unproven.Bound,
            Soak = _soak,
            BusinessDays = (int)(_soak.TotalDays * 5 / 7),
            Shapes =
            [
                .. _shapes.Select((shape, i) => new ShapeEvidence(Name(i))
                {
                    Cases = shape.Cases,
                    LiveCases = shape.Cases,
                    Mismatches = shape.Wrong,
                    TrafficShare = shape.Requests / (double)Math.Max(1, requests),
                    Due = shape.Requests,
                    Decided = shape.Requests,
                }),
            ],
        };
    }

    private void Apply(RolloutCommand command, GateDecision? gate)
    {
        var (next, refused) = RolloutRules.Apply(_state, command, gate);
        if (refused is not null) throw new InvalidOperationException($"{command.Action}: {refused}");
        _state = next;
    }

    private static string Name(int shape) => $"s{shape}";
}
