using System.Buffers.Binary;
using System.Text.Unicode;

namespace GrpcShm.EventBus.Wire;

/// <summary>
/// Reads the fields of an encoded protobuf message in the received bytes. It takes only what an encoder writes. What it
/// does not take, the generated parser takes or refuses.
/// </summary>
/// <remarks>
/// It does not take groups, numbers of more bytes than they need, numbers that not all parsers read alike, and all that
/// is malformed. So a caller need not know the reason: it gives the whole message to the generated parser.
/// </remarks>
/// <param name="bytes">The message.</param>
internal ref struct FieldReader(ReadOnlySpan<byte> bytes)
{
    private const int MostVarintBytes = 10;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>How many bytes have been read.</summary>
    public int Position { get; private set; }

    public readonly bool IsAtEnd => Position == _bytes.Length;

    /// <summary>Reads the tag of a field: its number, times eight, and its wire type.</summary>
    public bool TryReadTag(out uint tag) => TryReadUInt32(out tag) && tag >> 3 != 0;

    /// <summary>
    /// Reads a varint, which must have no more bytes than it needs, and no more than 64 bits: some parsers know a field
    /// by the bytes of its tag, and some refuse a tenth byte of more than one bit, which others cut off.
    /// </summary>
    public bool TryReadVarint(out ulong value)
    {
        value = 0;
        var rest = _bytes[Position..];
        for (var i = 0; i < rest.Length && i < MostVarintBytes; i++)
        {
            value |= (ulong)(rest[i] & 0x7F) << (7 * i);
            if (rest[i] < 0x80)
            {
                Position += i + 1;
                return i == 0 || rest[i] is not 0 && (i < MostVarintBytes - 1 || rest[i] == 1);
            }
        }

        return false;
    }

    /// <summary>Reads a value of eight bytes.</summary>
    public bool TryReadFixed64(out ulong value)
    {
        if (_bytes.Length - Position < sizeof(ulong))
        {
            value = 0;
            return false;
        }

        value = BinaryPrimitives.ReadUInt64LittleEndian(_bytes[Position..]);
        Position += sizeof(ulong);
        return true;
    }

    /// <summary>Reads a value that begins with its length: a text, bytes or a message.</summary>
    /// <param name="value">The value, in the bytes of the message.</param>
    public bool TryReadBytes(out ReadOnlySpan<byte> value)
    {
        if (!TryReadUInt32(out var length) || length > (uint)(_bytes.Length - Position))
        {
            value = default;
            return false;
        }

        value = _bytes.Slice(Position, (int)length);
        Position += (int)length;
        return true;
    }

    /// <summary>Reads a text.</summary>
    /// <param name="value">Its bytes, which are valid UTF-8.</param>
    public bool TryReadText(out ReadOnlySpan<byte> value) =>
        TryReadBytes(out value) && Utf8.IsValid(value);

    /// <summary>Skips the value of a field that is not known.</summary>
    /// <param name="tag">The field's tag, which has been read.</param>
    public bool TrySkip(uint tag)
    {
        switch (tag & 7)
        {
            case 0:
                return TryReadVarint(out _);
            case 1:
                return TryReadFixed64(out _);
            case 2:
                return TryReadBytes(out _);
            case 5 when _bytes.Length - Position >= sizeof(uint):
                Position += sizeof(uint);
                return true;
            default:
                return false;
        }
    }

    private bool TryReadUInt32(out uint value)
    {
        // Most tags and lengths have one byte.
        if (Position < _bytes.Length && _bytes[Position] < 0x80)
        {
            value = _bytes[Position++];
            return true;
        }

        if (TryReadVarint(out var number) && number <= uint.MaxValue)
        {
            value = (uint)number;
            return true;
        }

        value = 0;
        return false;
    }
}
