using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Shadowing.Postgres.Connections;
using Shadowing.Supervision;

namespace Shadowing.Postgres.Doctor;

/// <summary>
/// Checks the installation: each connection, its role and its server, the store and the replicas, and every finding. Only reads. What
/// cannot be asked is a check that failed, and never keeps the others from being made.
/// </summary>
public sealed class SetupDoctor : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim _one = new(1);
    private readonly IServiceProvider _services;
    private readonly Findings _findings;
    private readonly TimeProvider _clock;

    internal SetupDoctor(IServiceProvider services, Findings findings, TimeProvider clock) =>
        (_services, _findings, _clock) = (services, findings, clock);

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    /// <summary>Makes all checks; those that ask for something come first.</summary>
    public async Task<IReadOnlyList<DoctorCheck>> CheckAsync(CancellationToken cancellationToken)
    {
        // One at a time: it opens connections of all pools.
        await _one.WaitAsync(cancellationToken);
        try
        {
            List<DoctorCheck> checks = [];
            List<PositionFacts> positions = [];
            foreach (var (name, source) in Sources())
                await TryAsync(checks, $"ConnectionStrings:{name}", async token => positions.Add(await PositionProbe.AskAsync(name, source,
                    _clock, token)), cancellationToken);
            var served = positions.FirstOrDefault(position => position.Name == "Served");
            checks.AddRange(positions.SelectMany(position => PositionRules.Judge(position, served)));
            if (_services.GetService<StoreProbe>() is { } store)
                await TryAsync(checks, "schema shadow", async token => checks.AddRange(await store.AskAsync(token)), cancellationToken);
            if (string.IsNullOrWhiteSpace(_services.GetRequiredService<IOptions<ShadowDatabaseOptions>>().Value.Sandbox)) checks.Add(new(
                "connection", "ConnectionStrings:Sandbox", DoctorCheck.Warns, "is not given: writes are not compared",
                "give it the role of the sandbox (deploy/postgres/roles.sql), straight to PostgreSQL"));
            checks.AddRange(_findings.All.Select(finding => new DoctorCheck(
                "finding", finding.Object, finding.Severity == Finding.Critical ? DoctorCheck.Fails : DoctorCheck.Warns, finding.Text,
                Remedy(finding.Text))));
            return [.. checks.OrderBy(check => check.State switch { DoctorCheck.Fails => 0, DoctorCheck.Warns => 1, _ => 2 })];
        }
        finally
        {
            _one.Release();
        }
    }

    private IEnumerable<(string Name, NpgsqlDataSource Source)> Sources()
    {
        var options = _services.GetRequiredService<IOptions<ShadowDatabaseOptions>>().Value;
        yield return ("Served", _services.GetRequiredKeyedService<NpgsqlDataSource>(ServedDatabase.View));
        if (!string.IsNullOrWhiteSpace(options.Shadow)) yield return ("Shadow", _services.GetRequiredKeyedService<NpgsqlDataSource>(
            Databases.Shadow));
        if (options.EvidenceName.Length == 0 || string.IsNullOrWhiteSpace(options.Evidence)) yield break;
        yield return ("Evidence", _services.GetRequiredKeyedService<NpgsqlDataSource>(Databases.Evidence));
    }

    private async Task TryAsync(
        List<DoctorCheck> checks, string about, Func<CancellationToken, Task> ask, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Patience, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await ask(either.Token);
        }
#pragma warning disable CA1031 // What cannot be asked is what this is to find out.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            var why = failure is OperationCanceledException ? $"it did not answer within {Patience.TotalSeconds:0} s"
                : FailureText.Sentence(failure);
            checks.Add(new("connection", about, DoctorCheck.Fails, $"cannot be asked: {why}",
                "check host, port, role, password and database of that connection string, and pg_hba.conf"));
        }
#pragma warning restore CA1031
    }

    /// <summary>The statement that a finding names, so that it can be copied.</summary>
    private static string? Remedy(string text)
    {
        const string Marker = "To end that, run: ";
        var at = text.IndexOf(Marker, StringComparison.Ordinal);
        return at < 0 ? null : text[(at + Marker.Length)..];
    }
}
