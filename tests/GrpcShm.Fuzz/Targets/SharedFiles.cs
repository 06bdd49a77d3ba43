using System.Runtime.InteropServices;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Fuzz.Targets;

/// <summary>Descriptors of all kinds that a peer could send, valid ones and others.</summary>
internal sealed unsafe class SharedFiles
{
    /// <summary>The size of both rings in valid memory.</summary>
    public const int RingSize = 4096;

    private const int DuplicateCloseOnExec = 1030;
    private const int SetFlags = 4;
    private const int BothSeals = Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW;

    private static readonly int TotalSize = (int)SegmentLayout.TotalSize(RingSize, RingSize);

    private readonly SafeFileDescriptor[] _kinds;
    private readonly LinuxMappedMemory _header;

    public SharedFiles()
    {
        var good = Memory(TotalSize, BothSeals);
        _header = LinuxMappedMemory.Map(good, TotalSize);
        var blocking = Libc.EventCreate();
        _ = Libc.Control(blocking, SetFlags, Libc.O_RDWR);
        _kinds =
        [
            good,
            Libc.EventCreate(),
            Memory(TotalSize - 4096, BothSeals),
            Memory(TotalSize, 0),
            Memory(TotalSize, Libc.F_SEAL_GROW),
            blocking,
            Libc.Open("/dev/null", Libc.O_RDWR | Libc.O_CLOEXEC, 0),
            Libc.Socket(),
        ];
    }

    /// <summary>
    /// Makes a descriptor, which the receiver then owns. The first kinds are valid memory and a valid doorbell.
    /// </summary>
    public SafeFileDescriptor Duplicate(byte kind) =>
        new(Libc.Control(_kinds[kind % _kinds.Length], DuplicateCloseOnExec, 0));

    /// <summary>Writes any header into memory that is otherwise valid.</summary>
    public void SetHeader(in SegmentHeader header) => *(SegmentHeader*)_header.Pointer = header;

    public static SegmentHeader GoodHeader => new()
    {
        Magic = SegmentLayout.Magic,
        Version = SharedSegment.Version,
        TotalSize = TotalSize,
        ClientToServerSize = RingSize,
        ServerToClientSize = RingSize,
    };

    /// <summary>Reads a header from an input.</summary>
    public static SegmentHeader ReadHeader(ReadOnlySpan<byte> bytes)
    {
        var header = default(SegmentHeader);
        bytes[..Math.Min(bytes.Length, SegmentLayout.HeaderSize)].CopyTo(
            MemoryMarshal.AsBytes(new Span<SegmentHeader>(ref header)));
        return header;
    }

    private static SafeFileDescriptor Memory(int size, int seals)
    {
        var file = Libc.MemfdCreate("fuzz", Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING);
        FuzzFailureException.ThrowIf(Libc.Truncate(file, size) != 0, "There is no memory to share.");
        FuzzFailureException.ThrowIf(Libc.Control(file, Libc.F_ADD_SEALS, seals) != 0, "Memory cannot be sealed.");
        return file;
    }
}
