using System.Buffers.Binary;
using System.Text;

namespace Ticketing.Api.Tests.Shadowing;

/// <summary>A protobuf message by its field numbers: https://protobuf.dev/programming-guides/encoding/.</summary>
internal sealed class ProtoMessage
{
    private readonly List<(int Field, ReadOnlyMemory<byte> Bytes)> _fields = [];

    public ProtoMessage(ReadOnlyMemory<byte> bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var tag = Varint(bytes.Span, ref at);
            var length = (tag & 7) switch
            {
                0 => Length(bytes.Span, at),
                1 => sizeof(ulong),
                2 => (int)Varint(bytes.Span, ref at),
                5 => sizeof(uint),
                var other => throw new InvalidDataException($"There is no wire type {other}."),
            };
            _fields.Add(((int)(tag >> 3), bytes.Slice(at, length)));
            at += length;
        }
    }

    public IEnumerable<ProtoMessage> All(int field) => Bytes(field).Select(bytes => new ProtoMessage(bytes));

    public string Text(int field) => Encoding.UTF8.GetString(Bytes(field).FirstOrDefault().Span);

    public string Hex(int field) => Convert.ToHexStringLower(Bytes(field).FirstOrDefault().Span);

    public double Double(int field) => BinaryPrimitives.ReadDoubleLittleEndian(Bytes(field).First().Span);

    private IEnumerable<ReadOnlyMemory<byte>> Bytes(int field) => _fields.Where(one => one.Field == field).Select(one => one.Bytes);

    private static int Length(ReadOnlySpan<byte> bytes, int at)
    {
        var start = at;
        Varint(bytes, ref at);
        return at - start;
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        for (var (value, shift) = (0UL, 0); ; shift += 7)
        {
            var part = bytes[at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return value;
        }
    }
}
