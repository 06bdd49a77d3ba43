using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Messages;

/// <content>A gathered message lies in an array of its own, which a loan may take over instead of a copy.</content>
internal sealed partial class MessageReader : IPayloadLender
{
    // A loan keeps the whole array, which is less than twice as large as the message. So no array is taken for a
    // little.
    private const int LeastHandedOver = LargestInPlace;

    bool IPayloadLender.TryHandOver(
        in ReadOnlySequence<byte> part, [NotNullWhen(true)] out IDisposable? owner, out int size)
    {
        // Not gathered or decompressed: then the message lies elsewhere.
        if (_gathered is not { } bytes || _isCompressed || !IsPartOf(part, bytes)
            || part.Length < LeastHandedOver || part.Length < _length / 2)
        {
            owner = null;
            size = 0;
            return false;
        }

        _gathered = null;
        owner = new HandedOver(bytes);
        size = bytes.Length;
        return true;
    }

    private static bool IsPartOf(in ReadOnlySequence<byte> part, byte[] bytes) =>
        SequenceMarshal.TryGetArray(part, out var piece) && piece.Array == bytes;

    /// <summary>An array that goes back to where it came from.</summary>
    private sealed class HandedOver(byte[] bytes) : IDisposable
    {
        public void Dispose() => ArrayPool<byte>.Shared.Return(bytes);
    }
}
