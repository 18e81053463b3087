using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Ticketing.Api.Tests.Rollout;

/// <summary>A way to the database that can be cut and mended.</summary>
internal sealed class Forwarder : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _disposed = new();
    private readonly ConcurrentDictionary<Socket, bool> _open = [];
    private readonly Task _accepting;
    private volatile TaskCompletionSource _flowing = new();
    private volatile bool _isCut;
    private volatile int _port;

    public Forwarder(string connectionString)
    {
        _port = new NpgsqlConnectionStringBuilder(connectionString).Port;
        Flow();
        _listener.Start();
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Host = "127.0.0.1",
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port,
        }.ConnectionString;
        _accepting = AcceptAsync();
    }

    public string ConnectionString { get; }

    /// <summary>Ends what is open, and lets nothing through any more.</summary>
    public void Cut()
    {
        _isCut = true;
        foreach (var socket in _open.Keys) socket.Dispose();
    }

    public void Mend() => _isCut = false;

    /// <summary>Passes nothing on from now on, and ends nothing: whoever asks waits.</summary>
    public void Hang() => _flowing = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Passes on what has been waiting, and all that comes.</summary>
    public void Flow() => _flowing.TrySetResult();

    /// <summary>Leads new connections to another port; those that are open stay as they are.</summary>
    public void LeadTo(int port) => _port = port;

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync();
        Cut();
        _listener.Dispose();
        await _accepting;
        _disposed.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ForwardAsync(await _listener.AcceptSocketAsync(_disposed.Token));
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It is over.
        }
    }

    private async Task ForwardAsync(Socket from)
    {
        using var to = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            (_open[from], _open[to]) = (true, true);
            if (_isCut) return;
            await to.ConnectAsync(IPAddress.Loopback, _port, _disposed.Token);
            await Task.WhenAny(PumpAsync(from, to), PumpAsync(to, from));
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Cut.
        }
        finally
        {
            from.Dispose();
            _open.TryRemove(from, out _);
            _open.TryRemove(to, out _);
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        while (await from.ReceiveAsync(buffer, _disposed.Token) is > 0 and var count)
        {
            await _flowing.Task.WaitAsync(_disposed.Token);
            await to.SendAsync(buffer.AsMemory(0, count), _disposed.Token);
        }
    }
}
