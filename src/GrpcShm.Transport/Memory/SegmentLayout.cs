using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Memory;

/// <summary>
/// The places of all fields in a segment. Both processes compute them from the two ring sizes alone, which they agreed
/// on in the handshake: no offset is ever read from shared memory. Specified in <c>docs/why/protocol.md</c>, "Segment".
/// </summary>
internal static class SegmentLayout
{
    /// <summary>"XMIP", the mark of the original design.</summary>
    public const uint Magic = 0x584D4950;

    public const int HeaderSize = 64;

    // 128 and not 64: the adjacent-line prefetcher of x86 fetches pairs of lines, which would put the cursors of the
    // two processes back into one unit of contention.
    public const int Line = 128;

    public const int RingControlSize = 4 * Line;

    public const int ClientToServerControl = Line;
    public const int ServerToClientControl = ClientToServerControl + RingControlSize;

    /// <summary>Ring data starts on a page of its own.</summary>
    public const int DataStart = 4096;

    public static long ClientToServerData => DataStart;

    public static long ServerToClientData(int clientToServerSize) => DataStart + (long)clientToServerSize;

    public static long TotalSize(int clientToServerSize, int serverToClientSize) =>
        DataStart + (long)clientToServerSize + serverToClientSize;
}

/// <summary>
/// The first 64 bytes of a segment. The server writes them before it hands the memory over. The client compares them
/// with the handshake. Nobody looks at them again.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SegmentLayout.HeaderSize)]
internal struct SegmentHeader
{
    [FieldOffset(0)]
    public uint Magic;

    [FieldOffset(4)]
    public uint Version;

    [FieldOffset(8)]
    public long TotalSize;

    [FieldOffset(16)]
    public uint ClientToServerSize;

    [FieldOffset(20)]
    public uint ServerToClientSize;
}

/// <summary>
/// The fields that govern one ring. Each is on a cache line of its own, since each has one frequent writer.
/// </summary>
/// <remarks>
/// <code>
/// field            written by                  read by            ordering
/// Tail             producer                    consumer           release after the bytes / acquire before them
/// ProducerState    producer, once              consumer           release after the last Tail / acquire, then Tail
///                                                                 again
/// Head             consumer                    producer           release after the bytes were read / acquire
///                                                                 before they are overwritten
/// ConsumerState    consumer, once              producer           release / acquire
/// ConsumerSleeping consumer sets, both clear   producer           Dekker with Tail: each side stores, fences, loads
/// ProducerWaiting  producer sets, both clear   consumer           Dekker with Head: each side stores, fences, loads
/// </code>
/// Without the full fences each side may read the other's old value. Then the consumer sleeps although there is data,
/// or the producer sleeps although there is space, and nobody rings.
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = SegmentLayout.RingControlSize)]
internal struct RingControl
{
    [FieldOffset(0)]
    public long Tail;

    [FieldOffset(8)]
    public uint ProducerState;

    [FieldOffset(1 * SegmentLayout.Line)]
    public long Head;

    [FieldOffset(2 * SegmentLayout.Line)]
    public uint ConsumerSleeping;

    // Beside the flag and not beside Head: a producer looks at this state and at the flag with each write, and Head's
    // line would have to come from the other processor each time.
    [FieldOffset((2 * SegmentLayout.Line) + 8)]
    public uint ConsumerState;

    [FieldOffset(3 * SegmentLayout.Line)]
    public uint ProducerWaiting;
}

/// <summary>The states of one end of a ring. A state goes up only.</summary>
internal static class RingEndState
{
    public const uint Open = 0;

    /// <summary>The producer will write no more, or the consumer will read no more.</summary>
    public const uint Completed = 1;

    /// <summary>The same, but bytes are missing: the end did not finish.</summary>
    public const uint Aborted = 2;
}
