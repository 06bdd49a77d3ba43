using System.Buffers;

namespace GrpcShm.Transport.Connections;

/// <summary>
/// A piece of the sequence that a reader sees. Its running index is the cursor of its first byte, so that any position
/// in the sequence tells the position in the stream.
/// </summary>
internal sealed class RingSegment : ReadOnlySequenceSegment<byte>
{
    private byte[]? _rented;

    /// <summary>The cursor of the first byte.</summary>
    public long Start => RunningIndex;

    /// <summary>The cursor after the last byte.</summary>
    public long End => RunningIndex + Memory.Length;

    public RingSegment? Following
    {
        get => (RingSegment?)Next;
        set => Next = value;
    }

    /// <summary>Makes this a piece of memory that another object owns.</summary>
    public RingSegment Set(long start, ReadOnlyMemory<byte> memory)
    {
        RunningIndex = start;
        Memory = memory;
        Next = null;
        return this;
    }

    /// <summary>Makes this a private copy.</summary>
    public RingSegment SetCopy(long start, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var length = first.Length + second.Length;
        _rented = ArrayPool<byte>.Shared.Rent(length);
        first.CopyTo(_rented);
        second.CopyTo(_rented.AsSpan(first.Length));
        return Set(start, _rented.AsMemory(0, length));
    }

    /// <summary>Gives back the memory of a private copy.</summary>
    public void Return()
    {
        Memory = default;
        if (_rented is { } rented)
        {
            _rented = null;
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
