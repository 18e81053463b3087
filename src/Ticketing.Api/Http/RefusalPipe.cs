using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;

namespace Ticketing.Api.Http;

/// <summary>
/// What a connection sends. It passes everything through, until the server refuses a request before any code of the service runs: then the
/// next answer, if it is the server's own empty one, gets a body.
/// </summary>
/// <remarks>The server writes one answer of a connection at a time, and under its lock, so nothing here is written concurrently.</remarks>
internal sealed class RefusalPipe(PipeWriter connection) : PipeWriter
{
    private static readonly byte[] Empty = "Content-Length: 0\r\n"u8.ToArray();
    private static readonly byte[] EndOfHead = "\r\n\r\n"u8.ToArray();

    // What is written since the request was refused; null at any other time.
    private ArrayBufferWriter<byte>? _held;
    private int _status;
    private byte[] _body = [];

    /// <summary>The server has refused a request and answers next.</summary>
    public void Expect(int status, byte[] body) => (_held, _status, _body) = (new(), status, body);

    public override bool CanGetUnflushedBytes => connection.CanGetUnflushedBytes;

    public override long UnflushedBytes => connection.UnflushedBytes + (_held?.WrittenCount ?? 0);

    public override Memory<byte> GetMemory(int sizeHint = 0) => _held?.GetMemory(sizeHint) ?? connection.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _held is { } held ? held.GetSpan(sizeHint) : connection.GetSpan(sizeHint);

    public override void Advance(int bytes)
    {
        if (_held is { } held) held.Advance(bytes);
        else connection.Advance(bytes);
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (_held is null) return connection.WriteAsync(source, cancellationToken);
        this.Write(source.Span);
        return FlushAsync(cancellationToken);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        Release();
        return connection.FlushAsync(cancellationToken);
    }

    public override void CancelPendingFlush() => connection.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        Release();
        connection.Complete(exception);
    }

    public override ValueTask CompleteAsync(Exception? exception = null)
    {
        Release();
        return connection.CompleteAsync(exception);
    }

    private void Release()
    {
        if (_held is not { WrittenCount: > 0 } held) return;
        _held = null;
        var written = held.WrittenSpan;
        if (written.StartsWith(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {_status} ")))
            && written.IndexOf(EndOfHead) == written.Length - EndOfHead.Length
            && written.IndexOf(Empty) is var length and > 0)
        {
            connection.Write(written[..length]);
            connection.Write(Encoding.ASCII.GetBytes(string.Create(
                CultureInfo.InvariantCulture, $"Content-Type: application/problem+json\r\nContent-Length: {_body.Length}\r\n")));
            connection.Write(written[(length + Empty.Length)..]);
            connection.Write(_body);
        }
        else
        {
            connection.Write(written);
        }
    }
}
