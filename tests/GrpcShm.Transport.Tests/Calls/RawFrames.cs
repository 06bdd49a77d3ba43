using System.IO.Hashing;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>Frames byte by byte, as a peer may send them that keeps to no rule.</summary>
internal static class RawFrames
{
    /// <summary>A block with ":method: POST" and ":path: /".</summary>
    public static readonly byte[] Block = [0x02, 0x0d, 0x01, (byte)'/'];

    public static byte[] Message(uint call, FrameFlags flags, byte[]? headers = null, int data = 0, byte[]? trailers = null)
    {
        headers ??= flags.HasFlag(FrameFlags.Headers) ? Block : [];
        trailers ??= [];
        return Build(
            new FrameHeader
            {
                Type = FrameType.Message,
                Flags = flags,
                Call = call,
                HeadersLength = (uint)headers.Length,
                TrailersLength = (uint)trailers.Length,
            },
            [.. headers, .. new byte[data], .. trailers]);
    }

    public static byte[] Control(FrameType type, uint call, ulong argument) =>
        Build(new FrameHeader { Type = type, Call = call, Argument = argument }, []);

    /// <summary>Puts the checksum where it belongs.</summary>
    public static byte[] WithChecksum(byte[] frame)
    {
        var bytes = frame.ToArray();
        bytes.AsSpan(12, 4).Clear();
        Crc32.Hash(bytes).CopyTo(bytes.AsSpan(12));
        return bytes;
    }

    private static byte[] Build(FrameHeader header, byte[] content)
    {
        header.Length = (uint)(FrameHeader.Size + content.Length);
        var bytes = new byte[header.Length];
        MemoryMarshal.Write(bytes, header);
        content.CopyTo(bytes, FrameHeader.Size);
        return bytes;
    }
}
