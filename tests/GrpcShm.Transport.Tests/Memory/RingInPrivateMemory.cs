using System.Runtime.InteropServices;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Transport.Tests.Memory;

/// <summary>Both ends of a ring in plain memory, between two guards that show writes outside of it.</summary>
internal sealed unsafe class RingInPrivateMemory : IDisposable
{
    private const int Guard = 4096;
    private const byte GuardByte = 0xA5;

    private readonly byte* _memory;
    private readonly int _capacity;

    public RingInPrivateMemory(int capacity = 64)
    {
        _capacity = capacity;
        var size = SegmentLayout.RingControlSize + (2 * Guard) + capacity;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)size, 4096);
        new Span<byte>(_memory, size).Clear();
        Before.Fill(GuardByte);
        After.Fill(GuardByte);
        Producer = new RingProducer(Control, Data, capacity);
        Consumer = new RingConsumer(Control, Data, capacity);
    }

    public RingControl* Control => (RingControl*)_memory;

    public byte* Data => _memory + SegmentLayout.RingControlSize + Guard;

    public RingProducer Producer { get; }

    public RingConsumer Consumer { get; }

    private Span<byte> Before => new(_memory + SegmentLayout.RingControlSize, Guard);

    private Span<byte> After => new(Data + _capacity, Guard);

    public void VerifyGuards()
    {
        Assert.False(Before.ContainsAnyExcept(GuardByte), "Something wrote before the ring.");
        Assert.False(After.ContainsAnyExcept(GuardByte), "Something wrote behind the ring.");
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);
}
