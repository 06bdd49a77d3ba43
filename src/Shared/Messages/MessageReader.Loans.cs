using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Messages;

/// <content>
/// A loan may take over the memory of a large message, instead of a copy: the array in which the message was gathered,
/// or the pieces of the received body in which it lies.
/// </content>
internal sealed partial class MessageReader : IPayloadLender
{
    // A loan keeps whole arrays, which are together less than twice as large as its payload. So no array is taken for a
    // little.
    private const int LeastHandedOver = 32 * 1024;

    bool IPayloadLender.TryHandOver(
        in ReadOnlySequence<byte> part, [NotNullWhen(true)] out IDisposable? owner, out int size)
    {
        owner = null;
        size = 0;

        // A decompressed message lies elsewhere.
        if (_isCompressed || part.Length < LeastHandedOver)
        {
            return false;
        }

        owner = _gathered is null ? Share(part, out size) : TakeGathered(part, out size);
        return owner is not null;
    }

    private HandedOver? TakeGathered(in ReadOnlySequence<byte> part, out int size)
    {
        var bytes = _gathered!;
        size = bytes.Length;
        if (part.Length < size / 2 || !SequenceMarshal.TryGetArray(part, out var piece) || piece.Array != bytes)
        {
            return null;
        }

        _gathered = null;
        return new HandedOver(bytes);
    }

    private static HandedOverPieces? Share(in ReadOnlySequence<byte> part, out int size)
    {
        size = 0;
        if (part.Start.GetObject() is not BodySegment first || part.End.GetObject() is not BodySegment last)
        {
            return null;
        }

        var count = 1;
        var total = (long)first.Capacity;
        for (var segment = first; segment != last; count++)
        {
            segment = segment.NextSegment!;
            total += segment.Capacity;
        }

        if (part.Length < total / 2 || total > int.MaxValue)
        {
            return null;
        }

        size = (int)total;
        var pieces = new SharedBytes[count];
        for (var (i, segment) = (0, first); i < count; i++, segment = segment.NextSegment!)
        {
            pieces[i] = segment.Share();
        }

        return new HandedOverPieces(pieces);
    }

    /// <summary>An array that goes back to where it came from.</summary>
    private sealed class HandedOver(byte[] bytes) : IDisposable
    {
        public void Dispose() => ArrayPool<byte>.Shared.Return(bytes);
    }

    /// <summary>Pieces of a received body, which are left.</summary>
    private sealed class HandedOverPieces(SharedBytes[] pieces) : IDisposable
    {
        public void Dispose()
        {
            foreach (var piece in pieces)
            {
                piece.Leave();
            }
        }
    }
}
