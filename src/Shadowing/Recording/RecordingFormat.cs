using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Shadowing.Recording;

/// <summary>
/// How a recording is laid out. A header: the magic with the version, the time of the start, and which key. Then blocks: the length of what
/// is encrypted (4 bytes), nonce (12), tag (16), and Brotli-compressed lines <c>operation, tab, JSON</c> under AES-256-GCM. The header and
/// the
/// block's number are authenticated with each block: none can be changed, moved, or taken from another file. A file that ends within a
/// block
/// was cut off by the end of the process, and is read up to there.
/// </summary>
internal static class RecordingFormat
{
    public const int HeaderLength = 24;
    public const int LengthLength = 4;
    public const int NonceLength = 12;
    public const int TagLength = 16;

    /// <summary>The most that a block holds, decompressed.</summary>
    public const int LongestBlock = 16 << 20;

    public static ReadOnlySpan<byte> Magic => "SHDWREC1"u8;

    public static byte[] Header(DateTimeOffset at, byte[] key)
    {
        var header = new byte[HeaderLength];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(8), at.ToUnixTimeMilliseconds());
        KeyId(key).CopyTo(header.AsSpan(16));
        return header;
    }

    /// <summary>Names a key without telling anything of it.</summary>
    public static byte[] KeyId(byte[] key) => SHA256.HashData([.. "shadow recording"u8, .. key])[..8];

    public static byte[] Associated(byte[] header, long block)
    {
        var associated = new byte[HeaderLength + 8];
        header.CopyTo(associated, 0);
        BinaryPrimitives.WriteInt64BigEndian(associated.AsSpan(HeaderLength), block);
        return associated;
    }
}
