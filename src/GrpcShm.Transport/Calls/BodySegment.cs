using System.Buffers;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// A piece of a received body, in pooled memory. Its running index counts from the beginning of the body.
/// </summary>
internal sealed class BodySegment : ReadOnlySequenceSegment<byte>
{
    private byte[] _bytes = [];
    private SharedBytes? _shared;
    private int _length;

    /// <summary>How many bytes the segment has room for in all.</summary>
    public int Capacity => _bytes.Length;

    /// <summary>Whether somebody else uses its memory, too, or has used it.</summary>
    public bool IsShared => _shared is not null;

    /// <summary>How many more bytes the segment has room for.</summary>
    public int Room => _bytes.Length - _length;

    /// <summary>The position in the body behind the segment's last byte.</summary>
    public long End => RunningIndex + _length;

    /// <summary>Makes the segment empty, for the bytes from a position on.</summary>
    /// <param name="position">The position in the body.</param>
    /// <param name="size">How many bytes the segment has to have room for.</param>
    public void Begin(long position, int size)
    {
        if (_bytes.Length < size)
        {
            Return();
            _bytes = ArrayPool<byte>.Shared.Rent(size);
        }

        _length = 0;
        RunningIndex = position;
        Next = null;

        // The whole array: a sequence that ends in this segment knows by itself where it ends.
        Memory = _bytes;
    }

    /// <summary>Adds bytes, for which there must be room.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>
    /// Appends another segment. A reader may look at a sequence that ends in this segment: the memory is shortened only
    /// behind that end.
    /// </summary>
    public void Append(BodySegment next)
    {
        Memory = _bytes.AsMemory(0, _length);
        Next = next;
    }

    /// <summary>Gives its memory back.</summary>
    public void Return()
    {
        if (_shared is { } shared)
        {
            _shared = null;
            shared.Leave();
        }
        else if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = [];

        Memory = default;
        Next = null;
    }

    /// <summary>
    /// Lets somebody use its memory beyond the body's own use. By the reader, while it reads the segment.
    /// </summary>
    /// <returns>The memory, which has to be left.</returns>
    public SharedBytes Share()
    {
        _shared ??= new SharedBytes(_bytes);
        _shared.Enter();
        return _shared;
    }

    /// <summary>The segment behind this one.</summary>
    public BodySegment? NextSegment => (BodySegment?)Next;
}
