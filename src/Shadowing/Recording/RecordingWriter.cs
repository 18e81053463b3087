using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Shadowing.Recording;

/// <summary>Writes a recording: see <see cref="RecordingFormat"/>.</summary>
internal sealed class RecordingWriter : IDisposable
{
    private readonly FileStream _file;
    private readonly AesGcm _cipher;
    private readonly byte[] _header;
    private long _block;

    /// <param name="path">A file that is not there yet; readable by this process's user alone.</param>
    public RecordingWriter(string path, byte[] key, DateTimeOffset at)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        _file = new(path, options);
        _cipher = new(key, RecordingFormat.TagLength);
        _header = RecordingFormat.Header(at, key);
        _file.Write(_header);
    }

    public long Length => _file.Length;

    /// <summary>Writes the requests as one block, and to the disk.</summary>
    public void Write(IReadOnlyCollection<RecordedRequest> requests)
    {
        if (requests.Count == 0) return;
        using var plain = new MemoryStream();
        using (var packed = new BrotliStream(plain, CompressionLevel.Fastest, leaveOpen: true))
        {
            foreach (var request in requests)
            {
                packed.Write(Encoding.UTF8.GetBytes(request.Operation));
                packed.Write("\t"u8);
                packed.Write(request.Json);
                packed.Write("\n"u8);
            }
        }

        var (text, nonce, tag) = (plain.ToArray(), RandomNumberGenerator.GetBytes(RecordingFormat.NonceLength),
            new byte[RecordingFormat.TagLength]);
        var secret = new byte[text.Length];
        _cipher.Encrypt(nonce, text, secret, tag, RecordingFormat.Associated(_header, _block++));
        var length = new byte[RecordingFormat.LengthLength];
        BinaryPrimitives.WriteInt32BigEndian(length, secret.Length);
        _file.Write([.. length, .. nonce, .. tag, .. secret]);
        _file.Flush(flushToDisk: true);
    }

    public void Dispose()
    {
        _file.Dispose();
        _cipher.Dispose();
    }
}
