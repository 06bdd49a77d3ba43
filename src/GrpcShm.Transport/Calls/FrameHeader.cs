using System.Runtime.InteropServices;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The first 24 bytes of a frame. A frame begins at a multiple of 64 bytes and lies in one stretch; specified in
/// <c>docs/protocol.md</c>, "Frames".
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal struct FrameHeader
{
    public const int Size = 24;

    /// <summary>How far frames are apart at least.</summary>
    public const int Alignment = ClaimingProducer.Unit;

    /// <summary>Bytes of the frame, this header included and the padding behind it not.</summary>
    [FieldOffset(0)]
    public uint Length;

    [FieldOffset(4)]
    public FrameType Type;

    [FieldOffset(5)]
    public FrameFlags Flags;

    /// <summary>Zero.</summary>
    [FieldOffset(6)]
    public ushort Reserved;

    /// <summary>The call's id; zero where the frame is the connection's.</summary>
    [FieldOffset(8)]
    public uint Call;

    /// <summary>CRC-32 of the frame with zero in this place, if checksums were agreed on, else zero.</summary>
    [FieldOffset(12)]
    public uint Checksum;

    /// <summary>A message's bytes of headers.</summary>
    [FieldOffset(16)]
    public uint HeadersLength;

    /// <summary>A message's bytes of trailers.</summary>
    [FieldOffset(20)]
    public uint TrailersLength;

    /// <summary>What frames of other types have in place of the two lengths.</summary>
    [FieldOffset(16)]
    public ulong Argument;

    /// <summary>Where the next frame begins, from the start of this one.</summary>
    public readonly uint Stride => (Length + Alignment - 1) & ~(uint)(Alignment - 1);

    public readonly bool Has(FrameFlags flag) => (Flags & flag) != 0;
}
