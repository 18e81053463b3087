using System.Buffers.Binary;
using System.Numerics;

namespace Shadowing.Evidence;

/// <summary>A set of distinct cases in fixed memory: a bit for each bucket of their hashes. Merges by OR: no flush counts twice.</summary>
/// <remarks>
/// Colliding cases share a bucket: the count of occupied buckets never exceeds that of distinct cases. Every member may be called from any
/// thread at any time. What is set while changed pages are being taken is in those or in the next ones.
/// </remarks>
public sealed class CaseBitmap
{
    /// <summary>The buckets for a shape: 2 KiB.</summary>
    public const int ShapeBits = 16_384;

    /// <summary>The buckets for an operation: 128 KiB.</summary>
    public const int OperationBits = 1 << 20;

    private readonly ulong[] _words;
    private readonly ulong[] _changed;
    private int _occupied;

    private CaseBitmap(int bits)
    {
        _words = new ulong[bits / 64];
        _changed = new ulong[(bits / CasePage.Bits + 63) / 64];
    }

    /// <summary>How many buckets there are.</summary>
    public int Bits => _words.Length * 64;

    /// <summary>How many distinct cases are known: at least this many were seen.</summary>
    public int Occupied => Volatile.Read(ref _occupied);

    /// <summary>An empty one of <see cref="ShapeBits"/>.</summary>
    public static CaseBitmap ForShape() => new(ShapeBits);

    /// <summary>An empty one of <see cref="OperationBits"/>.</summary>
    public static CaseBitmap ForOperation() => new(OperationBits);

    /// <summary>
    /// The most cases that a policy may ask of so many buckets: half of them, for which 1.4 times as many distinct cases are needed.
    /// Beyond, collisions hide more and more of what was compared.
    /// </summary>
    public static int CapacityOf(int bits) => bits / 2;

    /// <summary>Adds a case.</summary>
    /// <param name="hash">Equal for equal cases; it need not be well mixed, only different.</param>
    /// <returns>Whether its bucket was free: the case is new.</returns>
    public bool Add(ulong hash)
    {
        var bucket = (int)Math.BigMul(Mixed(hash), (ulong)Bits, out _);
        return Set(bucket / 64, 1UL << (bucket % 64), mark: true) != 0;
    }

    /// <summary>Adds all cases of another one of the same size.</summary>
    public void Merge(CaseBitmap other)
    {
        ArgumentNullException.ThrowIfNull(other);
        ArgumentOutOfRangeException.ThrowIfNotEqual(other.Bits, Bits);
        for (var i = 0; i < _words.Length; i++) Set(i, Volatile.Read(ref other._words[i]), mark: true);
    }

    /// <summary>Adds the cases of a page that is in the store; it does not count as changed, for there is nothing to write back.</summary>
    /// <exception cref="ArgumentException">The page is not one of this size.</exception>
    public void MergeStored(CasePage page)
    {
        ArgumentNullException.ThrowIfNull(page);
        ArgumentOutOfRangeException.ThrowIfNegative(page.Number);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page.Number, Bits / CasePage.Bits);
        if (page.Bytes.Length != CasePage.Size)
        {
            throw new ArgumentException($"A page has {CasePage.Size} bytes, not {page.Bytes.Length}.", nameof(page));
        }

        for (var i = 0; i < CasePage.Words; i++)
        {
            Set((page.Number * CasePage.Words) + i, BinaryPrimitives.ReadUInt64LittleEndian(page.Bytes.Span[(i * 8)..]), mark: false);
        }
    }

    /// <summary>Every page that has changed since it was last taken; each as it now is, so that a later one holds an earlier one.</summary>
    public IReadOnlyList<CasePage> TakeChanged()
    {
        List<CasePage> pages = [];
        for (var i = 0; i < _changed.Length; i++)
        {
            // The marks are cleared before the words are read: what is set in between is marked anew.
            for (var marks = Interlocked.Exchange(ref _changed[i], 0); marks != 0; marks &= marks - 1)
            {
                pages.Add(Read((i * 64) + BitOperations.TrailingZeroCount(marks)));
            }
        }

        return pages;
    }

    /// <summary>Marks a page as changed again, because it could not be written.</summary>
    public void PutBack(CasePage page)
    {
        ArgumentNullException.ThrowIfNull(page);
        Mark(page.Number);
    }

    private CasePage Read(int number)
    {
        var bytes = new byte[CasePage.Size];
        for (var i = 0; i < CasePage.Words; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * 8), Volatile.Read(ref _words[(number * CasePage.Words) + i]));
        }

        return new(number, bytes);
    }

    /// <returns>The bits that were not set before.</returns>
    private ulong Set(int word, ulong bits, bool mark)
    {
        // Most cases are known already: then nothing is written, and no cache line moves.
        if ((bits & ~Volatile.Read(ref _words[word])) == 0) return 0;
        var added = bits & ~Interlocked.Or(ref _words[word], bits);
        if (added == 0) return 0;
        Interlocked.Add(ref _occupied, BitOperations.PopCount(added));
        if (mark) Mark(word / CasePage.Words);
        return added;
    }

    private void Mark(int page) => Interlocked.Or(ref _changed[page / 64], 1UL << (page % 64));

    /// <summary>The finaliser of MurmurHash3: a bijection, so that different hashes stay different.</summary>
    private static ulong Mixed(ulong hash)
    {
        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
        hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
        return hash ^ (hash >> 33);
    }
}

/// <summary>A part of a <see cref="CaseBitmap"/> as the store keeps it.</summary>
/// <param name="Number">From 0.</param>
/// <param name="Bytes">Exactly <see cref="Size"/> bytes; bit b of the page is bit b % 8 of byte b / 8.</param>
public sealed record CasePage(int Number, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>The bytes of a page: a shape has 4 pages, an operation 256.</summary>
    public const int Size = 512;

    internal const int Bits = Size * 8;
    internal const int Words = Size / 8;
}
