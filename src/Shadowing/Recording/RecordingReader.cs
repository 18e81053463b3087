using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Shadowing.Recording;

/// <summary>Reads a recording: see <see cref="RecordingFormat"/>.</summary>
internal static class RecordingReader
{
    /// <summary>All requests, in the order in which they came.</summary>
    /// <exception cref="InvalidDataException">It is no recording, of another version or another key, or it was changed.</exception>
    public static IReadOnlyList<RecordedRequest> Read(Stream file, byte[] key)
    {
        var header = new byte[RecordingFormat.HeaderLength];
        if (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length
            || !header.AsSpan(0, 7).SequenceEqual(RecordingFormat.Magic[..7])) throw new InvalidDataException("It is no recording.");
        if (header[7] != RecordingFormat.Magic[7])
            throw new InvalidDataException($"It is a recording of version {(char)header[7]}; this build reads "
                + $"version {(char)RecordingFormat.Magic[7]}.");
        if (!header.AsSpan(16).SequenceEqual(RecordingFormat.KeyId(key)))
            throw new InvalidDataException("It was recorded with another key than Shadowing:Recording:Key.");
        using var cipher = new AesGcm(key, RecordingFormat.TagLength);
        List<RecordedRequest> requests = [];
        for (var block = 0L; ReadBlock(file) is var (nonce, tag, secret); block++)
        {
            var text = new byte[secret.Length];
            try
            {
                cipher.Decrypt(nonce, secret, tag, text, RecordingFormat.Associated(header, block));
            }
            catch (AuthenticationTagMismatchException)
            {
                throw new InvalidDataException($"It was changed after it was recorded: block {block + 1}.");
            }

            requests.AddRange(Lines(text));
        }

        return requests;
    }

    private static (byte[] Nonce, byte[] Tag, byte[] Secret)? ReadBlock(Stream file)
    {
        if (Take(file, RecordingFormat.LengthLength) is not { } length) return null;
        var size = BinaryPrimitives.ReadInt32BigEndian(length);
        if (size is < 0 or > RecordingFormat.LongestBlock) throw new InvalidDataException("It was changed after it was recorded.");
        return Take(file, RecordingFormat.NonceLength) is { } nonce && Take(file, RecordingFormat.TagLength) is { } tag
            && Take(file, size) is { } secret ? (nonce, tag, secret) : null;
    }

    private static byte[]? Take(Stream file, int length)
    {
        var bytes = new byte[length];
        return file.ReadAtLeast(bytes, length, throwOnEndOfStream: false) < length ? null : bytes;
    }

    private static IEnumerable<RecordedRequest> Lines(byte[] packed)
    {
        using var text = new MemoryStream();
        using (var unpacked = new BrotliStream(new MemoryStream(packed), CompressionMode.Decompress))
        {
            var buffer = new byte[81_920];
            for (int read; (read = unpacked.Read(buffer)) > 0;)
            {
                if (text.Length + read > RecordingFormat.LongestBlock) throw new InvalidDataException("A block of it is too long.");
                text.Write(buffer, 0, read);
            }
        }

        var bytes = text.ToArray();
        for (var start = 0; start < bytes.Length;)
        {
            var end = Array.IndexOf(bytes, (byte)'\n', start);
            var tab = Array.IndexOf(bytes, (byte)'\t', start);
            if (end < 0 || tab < 0 || tab > end) throw new InvalidDataException("A line of it has no operation.");
            yield return new(Encoding.UTF8.GetString(bytes, start, tab - start), bytes[(tab + 1)..end]);
            start = end + 1;
        }
    }
}
