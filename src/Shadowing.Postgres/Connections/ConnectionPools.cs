using Microsoft.Extensions.Logging;
using Npgsql;
using Shadowing.Postgres.Schema;
using Shadowing.Postgres.Statements;

namespace Shadowing.Postgres.Connections;

/// <summary>
/// The connections of one position, in two pools that together are as large as one would be. Statements are prepared automatically in one
/// of them at most, and there only on connections that are known to be direct; through a pooler, one client's prepared statements would be
/// met by another.
/// </summary>
/// <remarks>
/// A plan that was prepared before the schema changed may fail once (<see cref="PostgresErrors.IsOutdatedPlan"/>). What can be run again
/// afterwards, a read or one transaction, belongs to <see cref="OpenAsync"/>; a write of several statements, each committed at once, to
/// <see cref="Unprepared"/>.
/// </remarks>
public sealed class ConnectionPools : IAsyncDisposable
{
    private readonly NpgsqlDataSource? _preparing;
    private readonly NpgsqlDataSource? _inItsPlace;
    private readonly Action _foundPooler;
    private volatile NpgsqlDataSource _mayPrepare;
    private int _poolers;

    /// <param name="settings">As Npgsql reads them. <c>Max Auto Prepare</c> is the number where it may be; 0 is never.</param>
    /// <param name="name">Of the pool of unprepared connections; the others' names begin with it.</param>
    /// <param name="foundPooler">Called once, when a connection turns out to lead to a pooler.</param>
    /// <param name="database">Whether statements may be prepared at all, and how each pool is set up; null for the usual.</param>
    public ConnectionPools(
        NpgsqlConnectionStringBuilder settings, string name, ILoggerFactory loggers, Action foundPooler,
        ShadowedDatabase? database = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _foundPooler = foundPooler;
        var (prepared, size) = (database is { Prepares: false } ? 0 : settings.MaxAutoPrepare, settings.MaxPoolSize);
        var half = prepared > 0 && settings.Pooling ? size / 2 : 0;
        Unprepared = Builder(name, size - half, 0).Build();
        _mayPrepare = Unprepared;
        if (half == 0) return;

        var preparing = Builder($"{name}-prepared", half, prepared);
        DirectConnection.Guard(preparing, () =>
        {
            DoWithoutPreparing();
            return new PooledConnectionException();
        });
        _preparing = preparing.Build();
        _mayPrepare = _inItsPlace = Builder($"{name}-instead", half, 0).Build();

        NpgsqlDataSourceBuilder Builder(string pool, int connections, int statements)
        {
            var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = pool };
            var own = builder.ConnectionStringBuilder;
            (own.MaxPoolSize, own.MaxAutoPrepare) = (connections, statements);
            own.MinPoolSize = (int)((long)settings.MinPoolSize * connections / size);
            // A statement's connection must be known before it is sent.
            own.Multiplexing = false;
            builder.UseLoggerFactory(loggers);
            database?.SetUp?.Invoke(builder);
            return builder;
        }
    }

    /// <summary>Where no statement is ever prepared.</summary>
    public NpgsqlDataSource Unprepared { get; }

    /// <summary>Whether a pooler was found between. It stays so until the service starts anew.</summary>
    public bool HasPooler => Volatile.Read(ref _poolers) > 0;

    /// <summary>Whether statements are prepared at present.</summary>
    public bool IsPreparing => _mayPrepare == _preparing;

    /// <summary>Finds out whether connections are direct, on two that are held at once; before, nothing is prepared.</summary>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    public async Task ProbeAsync(CancellationToken cancellationToken)
    {
        if (_preparing is null || HasPooler || IsPreparing) return;
        await using (var one = await Unprepared.OpenConnectionAsync(cancellationToken))
        await using (var other = await _mayPrepare.OpenConnectionAsync(cancellationToken))
        {
            bool[] direct = await Task.WhenAll(
                DirectConnection.IsDirectAsync(one, cancellationToken), DirectConnection.IsDirectAsync(other, cancellationToken));
            if (direct.Contains(false)) DoWithoutPreparing();
            else _mayPrepare = _preparing;
        }

        // The two take turns: together they would be more than one was.
        if (IsPreparing) _inItsPlace!.Clear();
    }

    /// <summary>Opens a connection whose statements are prepared if it is known to be direct. Disposing of it gives it back.</summary>
    public async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _mayPrepare.OpenConnectionAsync(cancellationToken);
        }
        catch (Exception refused) when (PooledConnectionException.IsIn(refused))
        {
            return await _mayPrepare.OpenConnectionAsync(cancellationToken);
        }
    }

    /// <summary>Runs a read; again, without prepared plans, where the schema changed under one.</summary>
    public async Task<T> ReadAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(read);
        try
        {
            await using var connection = await OpenAsync(cancellationToken);
            return await read(connection, cancellationToken);
        }
        catch (Exception failure) when (PostgresErrors.IsOutdatedPlan(failure))
        {
            DropPlans();
            await using var connection = await Unprepared.OpenConnectionAsync(cancellationToken);
            return await read(connection, cancellationToken);
        }
    }

    /// <summary>
    /// Closes every connection that keeps plans, those in use once they are given back: what one of them holds is outdated in all.
    /// </summary>
    /// <remarks>
    /// Not only to spare others the same failure. Npgsql 10.0.3 cannot prepare further statements on a connection on which one was refused
    /// ("Invalid PreparedState state Unprepared"): it must not be used again.
    /// </remarks>
    public void DropPlans() => _preparing?.Clear();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Unprepared.DisposeAsync();
        if (_preparing is not null) await _preparing.DisposeAsync();
        if (_inItsPlace is not null) await _inItsPlace.DisposeAsync();
    }

    private void DoWithoutPreparing()
    {
        _mayPrepare = _inItsPlace!;
        _preparing!.Clear();
        if (Interlocked.Increment(ref _poolers) == 1) _foundPooler();
    }
}
