using System.Buffers;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// A piece of a received body, in pooled memory. Its running index counts from the beginning of the body.
/// </summary>
internal sealed class BodySegment : ReadOnlySequenceSegment<byte>
{
    private byte[] _bytes = [];
    private int _length;

    /// <summary>How much it has room for in all.</summary>
    public int Capacity => _bytes.Length;

    /// <summary>How much it has still room for.</summary>
    public int Room => _bytes.Length - _length;

    /// <summary>Where in the body what it holds ends.</summary>
    public long End => RunningIndex + _length;

    /// <summary>Makes it empty, and the one that begins there.</summary>
    /// <param name="position">The position in the body.</param>
    /// <param name="size">How much it has to have room for.</param>
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

        // All of it: a sequence that ends in here says itself where.
        Memory = _bytes;
    }

    /// <summary>Adds bytes, for which there is room.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>
    /// Puts another one behind it. A reader may be looking at a sequence that ends in here: what is shortened lies
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
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }

        Memory = default;
        Next = null;
    }

    /// <summary>The one behind it.</summary>
    public BodySegment? NextSegment => (BodySegment?)Next;
}
