using System.ComponentModel;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Fuzz.Targets;

/// <summary>
/// A ring whose data lies between two pages that cannot be accessed: the first access outside ends the process.
/// </summary>
internal sealed unsafe partial class GuardedRing
{
    public const int Capacity = 4096;

    private const int ReadAndWrite = 3;
    private const int PrivateAnonymous = 0x22;

    private readonly RingControl* _control = (RingControl*)NativeMemory.AlignedAlloc(
        SegmentLayout.RingControlSize, 4096);
    private readonly byte* _data;

    public GuardedRing()
    {
        var pages = Map(0, 3 * Capacity, 0, PrivateAnonymous, -1, 0);
        if (pages == -1 || Protect(pages + Capacity, Capacity, ReadAndWrite) != 0)
        {
            throw new Win32Exception();
        }

        _data = (byte*)pages + Capacity;
        Reset();
    }

    public RingProducer Producer { get; private set; } = null!;

    public RingConsumer Consumer { get; private set; } = null!;

    public RingControl* Control => _control;

    public Span<byte> Data => new(_data, Capacity);

    public void Reset()
    {
        *_control = default;
        Producer = new RingProducer(_control, _data, Capacity);
        Consumer = new RingConsumer(_control, _data, Capacity);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nint length, int protection);
}
