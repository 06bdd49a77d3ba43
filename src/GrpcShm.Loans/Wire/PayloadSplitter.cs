using System.Buffers;
using Google.Protobuf;

namespace GrpcShm.Loans.Wire;

/// <summary>Finds the payload among the fields of a message, and leaves it where it lies.</summary>
/// <remarks>
/// It takes only what leaves no doubt. All else is refused, and protobuf's own parser then reads the whole message:
/// what is an error, and which, is decided there alone.
/// </remarks>
internal static class PayloadSplitter
{
    // Protobuf takes the last one. Few senders write two; many of them would make a long chain of small pieces.
    private const int MostPayloads = 16;

    // The longest varint of 32 bits, and of 64 bits.
    private const int LongestVarint32 = 5;
    private const int LongestVarint64 = 10;

    /// <summary>Splits the bytes of a message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="tag">The tag of the payload: its field number, and that it has a length.</param>
    /// <param name="rest">All other fields, in their order.</param>
    /// <param name="payload">The bytes of the last payload; empty if there is none.</param>
    /// <returns>
    /// False if the bytes are no message, or one with groups, with numbers in more bytes than they need by far, or with
    /// many payloads.
    /// </returns>
    public static bool TrySplit(
        in ReadOnlySequence<byte> message,
        uint tag,
        out ReadOnlySequence<byte> rest,
        out ReadOnlySequence<byte> payload)
    {
        rest = default;
        payload = default;
        var pieces = default(RestOfMessage);
        var payloads = 0;
        var pieceStart = message.Start;
        var reader = new SequenceReader<byte>(message);
        while (!reader.End)
        {
            var fieldStart = reader.Position;
            if (!TryReadVarint32(ref reader, out var found))
            {
                return false;
            }

            if (found == tag)
            {
                if (++payloads > MostPayloads || !TryReadVarint32(ref reader, out var length)
                    || length > reader.Remaining)
                {
                    return false;
                }

                payload = message.Slice(reader.Position, length);
                reader.Advance(length);
                pieces.Add(message.Slice(pieceStart, fieldStart));
                pieceStart = reader.Position;
            }
            else if (!TrySkip(ref reader, found))
            {
                return false;
            }
        }

        pieces.Add(message.Slice(pieceStart));
        rest = pieces.Content;
        return true;
    }

    private static bool TrySkip(ref SequenceReader<byte> reader, uint tag)
    {
        if (WireFormat.GetTagFieldNumber(tag) == 0)
        {
            return false;
        }

        long size;
        switch (WireFormat.GetTagWireType(tag))
        {
            case WireFormat.WireType.Varint:
                return TrySkipVarint(ref reader);
            case WireFormat.WireType.Fixed32:
                size = sizeof(uint);
                break;
            case WireFormat.WireType.Fixed64:
                size = sizeof(ulong);
                break;
            case WireFormat.WireType.LengthDelimited:
                if (!TryReadVarint32(ref reader, out var length))
                {
                    return false;
                }

                size = length;
                break;
            default:
                return false;
        }

        if (size > reader.Remaining)
        {
            return false;
        }

        reader.Advance(size);
        return true;
    }

    private static bool TryReadVarint32(ref SequenceReader<byte> reader, out uint value)
    {
        ulong sum = 0;
        for (var i = 0; i < LongestVarint32; i++)
        {
            if (!reader.TryRead(out var next))
            {
                break;
            }

            sum |= (ulong)(next & 0x7F) << (7 * i);
            if (next < 0x80)
            {
                value = (uint)sum;
                return sum <= uint.MaxValue;
            }
        }

        value = 0;
        return false;
    }

    private static bool TrySkipVarint(ref SequenceReader<byte> reader)
    {
        for (var i = 0; i < LongestVarint64; i++)
        {
            if (!reader.TryRead(out var next))
            {
                return false;
            }

            if (next < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
