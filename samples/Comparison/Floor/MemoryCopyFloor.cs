using System.Diagnostics;
using System.Runtime.InteropServices;

namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>The speed at which one thread copies. A transport that copies once cannot be faster.</summary>
internal sealed unsafe class MemoryCopyFloor : IDisposable
{
    public const int RingSize = 256 * 1024;
    public const int LargeSize = 64 * 1024 * 1024;
    private const int Alignment = 4096;
    private const int CopiesBetweenClocks = 64;

    private readonly byte* _source = Allocate();
    private readonly byte* _destination = Allocate();

    /// <summary>Blocks that stay in the cache, one after the other into a ring. Bytes a second.</summary>
    public double MeasureRing(TimeSpan duration) => Measure(RawPeer.BlockSize, RawPeer.BlockSize, RingSize, duration);

    /// <summary>Blocks that go through memory. Bytes a second.</summary>
    public double MeasureLarge(TimeSpan duration) => Measure(RawPeer.BlockSize, LargeSize, LargeSize, duration);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_source);
        NativeMemory.AlignedFree(_destination);
    }

    private static byte* Allocate()
    {
        var memory = (byte*)NativeMemory.AlignedAlloc(LargeSize, Alignment);
        // This writes to the pages, so that each has memory of its own.
        new Span<byte>(memory, LargeSize).Fill(0x5A);
        return memory;
    }

    private double Measure(int block, int sourceSize, int destinationSize, TimeSpan duration)
    {
        long copied = 0;
        long from = 0;
        long to = 0;
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < duration)
        {
            for (var i = 0; i < CopiesBetweenClocks; i++)
            {
                Buffer.MemoryCopy(_source + from, _destination + to, block, block);
                from = (from + block) % sourceSize;
                to = (to + block) % destinationSize;
            }

            copied += (long)CopiesBetweenClocks * block;
        }

        return copied / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
