using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The checksum of a frame, if both sides have agreed on checksums. It covers the header, without the checksum, and the
/// content.
/// </summary>
internal static class FrameChecksum
{
    /// <summary>Computes the checksum of a frame whose content is in up to three pieces.</summary>
    public static uint Compute(
        FrameHeader header,
        ReadOnlySpan<byte> first,
        ReadOnlySpan<byte> second = default,
        ReadOnlySpan<byte> third = default)
    {
        header.Checksum = 0;
        var sum = new Crc32();
        sum.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<FrameHeader>(in header)));
        sum.Append(first);
        sum.Append(second);
        sum.Append(third);
        return sum.GetCurrentHashAsUInt32();
    }

    /// <summary>Checks a frame that has come.</summary>
    /// <exception cref="SharedMemoryProtocolException">The frame differs from the frame that was sent.</exception>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Verify(in FrameHeader header, ReadOnlySpan<byte> content)
    {
        if (Compute(header, content) != header.Checksum)
        {
            throw new SharedMemoryProtocolException(
                $"A frame of type {header.Type} and {header.Length} bytes of call {header.Call} does not match its "
                + "checksum: the shared memory has been corrupted.")
            {
                IsCorruption = true,
            };
        }
    }
}
