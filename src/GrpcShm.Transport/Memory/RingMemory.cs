using System.Buffers;

namespace GrpcShm.Transport.Memory;

/// <summary>
/// A ring's data as <see cref="Memory{T}"/>. It keeps the segment reachable, and with it the mapping.
/// </summary>
internal sealed unsafe class RingMemory : MemoryManager<byte>
{
    private readonly SharedSegment _segment;
    private readonly byte* _data;
    private readonly int _length;

    public RingMemory(SharedSegment segment, byte* data, int length)
    {
        _segment = segment;
        _data = data;
        _length = length;
    }

    public override Span<byte> GetSpan() => new(_data, _length);

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_length, nameof(elementIndex));

        // The memory never moves. The handle keeps this object reachable, and with it the segment.
        return new MemoryHandle(_data + elementIndex, default, this);
    }

    public override void Unpin() => GC.KeepAlive(_segment);

    protected override void Dispose(bool disposing)
    {
        // The segment's leases decide when the memory is unmapped.
    }
}
