using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// Takes frames off a ring and checks them. A header is read once, into private memory, and only that copy is used: a
/// peer may change the ring while it is being read.
/// </summary>
internal static class FrameReader
{
    /// <summary>Reads and checks the header at the start of the available bytes.</summary>
    /// <param name="available">The bytes in the ring from a cursor on, up to the end of its memory.</param>
    /// <param name="role">The side that receives the frame.</param>
    /// <exception cref="SharedMemoryProtocolException">The frame is malformed, or may not come from the
    /// peer.</exception>
    public static FrameHeader Read(ReadOnlySpan<byte> available, ConnectionRole role)
    {
        var header = ReadHeader(available);
        Check(header, available.Length, role);
        return header;
    }

    /// <summary>Reads a header and checks where the frame ends, but not its meaning.</summary>
    /// <exception cref="SharedMemoryProtocolException">The frame ends behind the available bytes.</exception>
    public static FrameHeader ReadHeader(ReadOnlySpan<byte> available)
    {
        if (available.Length < FrameHeader.Size)
        {
            Throw($"The peer published {available.Length} bytes, which are no whole frame.");
        }

        // Word by word and volatile: otherwise the compiler may read a field from the ring again instead of the copy.
        ref var first = ref Unsafe.As<byte, long>(ref MemoryMarshal.GetReference(available));
        Unsafe.SkipInit(out FrameHeader header);
        ref var copy = ref Unsafe.As<FrameHeader, long>(ref header);
        copy = Volatile.Read(ref first);
        Unsafe.Add(ref copy, 1) = Volatile.Read(ref Unsafe.Add(ref first, 1));
        Unsafe.Add(ref copy, 2) = Volatile.Read(ref Unsafe.Add(ref first, 2));
        if (header.Length < FrameHeader.Size
            || header.Length > (uint)available.Length
            || header.Stride > (uint)available.Length)
        {
            throw new SharedMemoryProtocolException(
                $"The peer sent a frame of {header.Length} bytes, with {available.Length} published: it is broken, or "
                + "the shared memory has been corrupted.")
            {
                IsCorruption = true,
            };
        }

        return header;
    }

    /// <summary>Checks the meaning of a frame.</summary>
    /// <param name="header">The frame's header.</param>
    /// <param name="available">How many bytes the ring held from the frame on, up to the end of its memory.</param>
    /// <param name="role">The side that receives the frame.</param>
    /// <exception cref="SharedMemoryProtocolException">The frame has no meaning, or may not come from the
    /// peer.</exception>
    public static void Check(in FrameHeader header, int available, ConnectionRole role)
    {
        var isKnown = header.Reserved == 0 && header.Type switch
        {
            FrameType.Message => IsMessage(header),
            FrameType.Gap =>
                header.Flags == 0
                && header.Length == (uint)available
                && header.Call == 0
                && header.Argument == 0,
            FrameType.Credit =>
                header.Flags == 0
                && header.Length == FrameHeader.Size
                && header.Argument is >= 1 and <= CallSettings.Window,
            FrameType.Reset =>
                header.Flags == 0
                && header.Length == FrameHeader.Size
                && header.Argument <= uint.MaxValue,
            FrameType.Ping or FrameType.Pong =>
                header.Flags == 0
                && header.Length == FrameHeader.Size
                && header.Call == 0,
            FrameType.GoAway =>
                header.Flags == 0
                && header.Length == FrameHeader.Size
                && header.Call == 0
                && header.Argument == 0
                && role == ConnectionRole.Client,
            _ => false,
        };
        if (!isKnown)
        {
            Throw(
                $"The peer sent a frame that means nothing: type {(byte)header.Type}, flags 0x{(byte)header.Flags:x}, "
                + $"{header.Length} bytes, call {header.Call}, argument 0x{header.Argument:x}.");
        }
    }

    private static bool IsMessage(in FrameHeader header) =>
        (header.Flags & ~FrameFlags.All) == 0
        && (ulong)header.HeadersLength + header.TrailersLength <= header.Length - FrameHeader.Size
        && (header.HeadersLength == 0 || header.Has(FrameFlags.Headers))
        && (header.TrailersLength == 0 || header.Has(FrameFlags.Trailers))

        // A block that is not finished is the last part of its frame, and the frame is not the last of its call.
        && (!header.Has(FrameFlags.Continues)
            || (!header.Has(FrameFlags.End)
                && (header.Has(FrameFlags.Trailers)
                    || (header.Has(FrameFlags.Headers)
                        && header.HeadersLength == header.Length - FrameHeader.Size))))

        // A side sends nothing behind its trailers.
        && (!header.Has(FrameFlags.Trailers) || header.Has(FrameFlags.End) || header.Has(FrameFlags.Continues));

    [DoesNotReturn]
    private static void Throw(string message) => throw new SharedMemoryProtocolException(message);
}
