namespace Ticketing.Api.Tests.Matrix;

/// <summary>
/// Runs faults of different operations together, each batch once, when the first of its faults is asked for; all of a kind on one service.
/// </summary>
public sealed class MatrixFixture(PostgresFixture postgres) : IAsyncDisposable
{
    // Outside any window of the statistics where the time is the ticket's creation: what is infinite cannot be subtracted, on either side.
    internal const string Infinities =
        """
        update support_tickets set updated_at = 'infinity' where id % 5 = 0;
        update support_tickets set updated_at = '-infinity' where id % 5 = 1;
        update support_tickets set created_at = '-infinity' where created_at < current_timestamp - interval '2 years';
        update ticket_comments set created_at = 'infinity' where id % 11 = 0
        """;

    private readonly SemaphoreSlim _one = new(1);
    private readonly Dictionary<string, Detection> _found = [];
    private readonly Dictionary<(bool, bool), MatrixRun> _runs = [];

    internal static IReadOnlyList<CatalogueFault> Faults { get; } =
        Effort.Some<CatalogueFault>([.. FilterFaults.All, .. NullFaults.All, .. JoinFaults.All, .. TimeFaults.All, .. NumberFaults.All], every: 4);

    internal static IReadOnlyList<CatalogueFault> Controls { get; } = Effort.Some<CatalogueFault>([.. NegativeControls.All], every: 4);

    internal async Task<Detection> OfAsync(CatalogueFault fault)
    {
        await _one.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (!_found.ContainsKey(fault.Name))
            {
                var all = (fault.IsNegativeControl ? Controls : Faults).Where(other => KindOf(other) == KindOf(fault)).ToArray();
                var number = all.Where(other => other.Operation == fault.Operation).ToList().IndexOf(fault);
                CatalogueFault[] batch = [.. all.GroupBy(other => other.Operation).SelectMany(same => same.Skip(number).Take(1))];
                var run = await RunAsync(KindOf(fault));
                foreach (var detection in await run.DetectAsync(batch)) _found[detection.Fault.Name] = detection;
            }

            return _found[fault.Name];
        }
        finally
        {
            _one.Release();
        }
    }

    internal async Task<IReadOnlyList<Detection>> AllAsync(IReadOnlyList<CatalogueFault> faults)
    {
        var found = new List<Detection>();
        foreach (var fault in faults) found.Add(await OfAsync(fault));
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var run in _runs.Values) await run.DisposeAsync();
        _one.Dispose();
    }

    // A signature once critical stays so: what is harmless must not share one with what is not.
    private static (bool IsInfinite, bool IsCritical) KindOf(CatalogueFault fault) => (fault.Line == "infinity timestamps", fault.IsCritical);

    private async Task<MatrixRun> RunAsync((bool IsInfinite, bool IsCritical) kind)
    {
        if (!_runs.TryGetValue(kind, out var run))
            _runs.Add(kind, run = await MatrixRun.StartAsync(postgres, $"matrix_{_runs.Count}", kind.IsInfinite ? Infinities : null));
        return run;
    }
}
