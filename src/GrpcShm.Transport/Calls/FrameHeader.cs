using System.Runtime.InteropServices;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The first 24 bytes of a frame. A frame begins at a multiple of 64 bytes and is contiguous; specified in
/// <c>docs/why/protocol.md</c>, "Frames".
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal struct FrameHeader
{
    public const int Size = 24;

    /// <summary>The least distance from frame to frame.</summary>
    public const int Alignment = ClaimingProducer.Unit;

    /// <summary>The bytes of the frame, with this header and without the padding behind the frame.</summary>
    [FieldOffset(0)]
    public uint Length;

    [FieldOffset(4)]
    public FrameType Type;

    [FieldOffset(5)]
    public FrameFlags Flags;

    /// <summary>Zero.</summary>
    [FieldOffset(6)]
    public ushort Reserved;

    /// <summary>The call's id; zero if the frame belongs to no call.</summary>
    [FieldOffset(8)]
    public uint Call;

    /// <summary>The CRC-32 of the frame with zero in this field, if checksums were agreed on; else zero.</summary>
    [FieldOffset(12)]
    public uint Checksum;

    /// <summary>How many bytes of headers a message has.</summary>
    [FieldOffset(16)]
    public uint HeadersLength;

    /// <summary>How many bytes of trailers a message has.</summary>
    [FieldOffset(20)]
    public uint TrailersLength;

    /// <summary>The argument of frames of other types, in place of the two lengths.</summary>
    [FieldOffset(16)]
    public ulong Argument;

    /// <summary>The distance from the start of this frame to the next frame.</summary>
    public readonly uint Stride => (Length + Alignment - 1) & ~(uint)(Alignment - 1);

    public readonly bool Has(FrameFlags flag) => (Flags & flag) != 0;
}
