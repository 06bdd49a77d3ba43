using System.Runtime.InteropServices;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Benchmarks.Micro;

/// <summary>A ring in the memory of this process.</summary>
internal sealed unsafe class PrivateRing : IDisposable
{
    public const int Capacity = 256 * 1024;

    private readonly byte* _memory;

    private PrivateRing()
    {
        const int Size = SegmentLayout.DataStart + Capacity;
        _memory = (byte*)NativeMemory.AlignedAlloc(Size, SegmentLayout.DataStart);
        new Span<byte>(_memory, Size).Clear();
    }

    public RingControl* Control => (RingControl*)_memory;

    public byte* Data => _memory + SegmentLayout.DataStart;

    public static PrivateRing Create() => new();

    public void Dispose() => NativeMemory.AlignedFree(_memory);
}
