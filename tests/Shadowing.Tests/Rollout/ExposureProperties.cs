using System.Collections.Frozen;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Rollout;

namespace Shadowing.Tests.Rollout;

/// <summary>
/// Whatever happens, in whatever order, to two builds on three replicas and a store that is late, away, restored from a backup or written to by
/// somebody else: nobody is exposed to more than the gate has allowed within the length of a lease.
/// </summary>
public sealed class ExposureProperties
{
    private static readonly string[] Builds = ["aaaaaaaaaaaa", "aaaaaaaaaaaa", "bbbbbbbbbbbb"];
    private static readonly Experiment Ask = Engine.Named("tickets.list");
    private static readonly FrozenSet<string> Any = new[] { "any" }.ToFrozenSet();

    private static readonly Gen<(int What, int Replica, int Choice, double Seconds)[]> Histories =
        Gen.Select(Gen.Int[0, 11], Gen.Int[0, 2], Gen.Int[0, 9], Gen.Double[0, 1.5]).Array[5, 120];

    [Fact]
    public void No_history_exposes_anybody_beyond_what_the_gate_allowed() => Histories.Sample(history =>
    {
        using var world = new World();
        foreach (var (what, replica, choice, seconds) in history)
        {
            world.Do(what, replica, choice);
            world.Pass(TimeSpan.FromSeconds(seconds));
        }
    }, iter: 2000);

    [Fact]
    public void The_histories_do_expose_somebody()
    {
        var exposed = 0;
        Histories.Sample(history =>
        {
            using var world = new World();
            foreach (var (what, replica, choice, seconds) in history)
            {
                world.Do(what, replica, choice);
                world.Pass(TimeSpan.FromSeconds(seconds / 3));
            }

            if (world.HasExposed) Interlocked.Increment(ref exposed);
        }, iter: 300);
        Assert.InRange(exposed, 15, 300);
    }

    private sealed class World : IDisposable
    {
        private readonly FakeTimeProvider _clock = new();
        private readonly RolloutLease[] _leases;
        private readonly bool[] _rolledBack = new bool[3];
        private readonly (long At, RolloutState Row)?[] _asked = new (long, RolloutState)?[3];
        private readonly List<(DateTimeOffset Until, string? Build, double Percent)> _allowed = [];
        private readonly List<RolloutState> _backups = [];
        private RolloutState _row = new("tickets.list", 0, Stage.Shadow);

        public World() => _leases = [.. Builds.Select(_ => new RolloutLease(_clock))];

        public bool HasExposed { get; private set; }

        public void Do(int what, int replica, int choice)
        {
            switch (what)
            {
                case 0 or 1 or 2:
                    // The gate grants the next step, one further, or nothing; whoever asks, asks for the next or for everything.
                    var grants = choice < 7 ? RolloutRulesTests.Granting(_row.Stage) : null;
                    Change(RolloutRulesTests.Move(choice % 3 == 2 ? Stage.Complete : _row.Stage.Next ?? _row.Stage), grants);
                    break;
                case 3:
                    Change(new Nominate(Builds[replica], choice + 1, "somebody", "a build"));
                    break;
                case 4 when choice < 3:
                    Change(new RollBack("somebody", "a doubt"));
                    break;
                case 5 when choice < 3:
                    if (_leases[replica].StateOf(_row.Operation) is { Stage.Serves: true } && _leases[replica].RollBack(_row.Operation, "wrong")) _rolledBack[replica] = true;
                    break;
                case 6:
                    Publish(replica);
                    Change(new Acknowledge("somebody", "triaged"));
                    break;
                case 7 when choice == 0:
                    Poison(replica);
                    break;
                case 8 when choice == 0:
                    _leases[replica].Dispose();
                    (_leases[replica], _rolledBack[replica], _asked[replica]) = (new(_clock), false, null);
                    break;
                case 9:
                    // Asked now, answered whenever: between the two anything may happen.
                    _asked[replica] = (_clock.GetTimestamp(), _row);
                    break;
                case 10 when _asked[replica] is var (at, row):
                    _leases[replica].Confirm(at, [row], new Dictionary<string, string>());
                    break;
                default:
                    foreach (var (lease, index) in _leases.Select((lease, index) => (lease, index)).Skip(choice % 3))
                    {
                        Publish(index);
                        lease.Confirm(_clock.GetTimestamp(), [_row], new Dictionary<string, string>());
                    }

                    break;
            }

            Note();
            Check();
        }

        public void Pass(TimeSpan time)
        {
            Note();
            _clock.Advance(time);
            Check();
        }

        public void Dispose()
        {
            foreach (var lease in _leases) lease.Dispose();
        }

        private void Change(RolloutCommand command, GateDecision? gate = null)
        {
            var (next, refused) = RolloutRules.Apply(_row, command, gate);
            if (refused is not null) return;
            if (command is MoveTo && next.Stage.ServePercent > _row.Stage.ServePercent) Assert.NotNull(gate);
            Note();
            _backups.Add(_row);
            _row = next;
        }

        private void Publish(int replica)
        {
            if (_leases[replica].Pending.Count == 0) return;
            Change(new RollBack("service", "wrong"));
            if (_leases[replica].StateOf(_row.Operation) is { } known && known.Generation > _row.Generation) _row = _row with { Generation = known.Generation + 1 };
            _leases[replica].Published(_row.Operation, _row.Generation);
            _rolledBack[replica] = false;
        }

        /// <summary>An old backup, the same generation with another stage, or nonsense; the row itself stays as it was.</summary>
        private void Poison(int replica)
        {
            var forged = _row with { Stage = Stage.Complete };
            var (states, unreadable) = replica switch
            {
                0 when _backups.Count > 0 => ((RolloutState[])[_backups[^1] with { Stage = Stage.Full, Nominated = Builds[0] }], (string?)null),
                1 => ([], "no such stage"),
                _ => ([forged], null),
            };
            foreach (var lease in _leases.Where(lease => lease.StateOf(_row.Operation)?.Generation == _row.Generation && lease.Pending.Count == 0))
            {
                lease.Confirm(_clock.GetTimestamp(), states, unreadable is null ? [] : new Dictionary<string, string> { [_row.Operation] = unreadable });
            }
        }

        /// <summary>What the store allows now holds for as long as somebody may have read it and not asked again.</summary>
        private void Note() => _allowed.Add((_clock.GetUtcNow() + RolloutLease.Length, _row.Nominated, _row.IsHeld ? 0 : _row.Stage.ServePercent));

        private void Check()
        {
            _allowed.RemoveAll(allowed => allowed.Until < _clock.GetUtcNow());
            for (var replica = 0; replica < Builds.Length; replica++)
            {
                var table = RoutingTable.From(new(), [Ask], _leases[replica], _ => Any, Builds[replica]);
                var percent = _clock.GetTimestamp() < table.ServesUntil ? table[Ask.Operation].ServePercent : 0;
                HasExposed |= percent > 0;
                var most = _allowed.Where(allowed => allowed.Build == Builds[replica]).Select(allowed => allowed.Percent).DefaultIfEmpty(0).Max();
                Assert.True(percent <= most, $"Replica {replica} exposes {percent} %, {most} % are allowed.");
                if (_rolledBack[replica]) Assert.Equal(0, percent);
            }
        }
    }
}
