using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Testing;

/// <summary>Frames byte by byte, as a peer that breaks the rules may send them.</summary>
internal static class RawFrames
{
    /// <summary>A block with ":method: POST" and ":path: /".</summary>
    public static readonly byte[] Block = [0x02, 0x0d, 0x01, (byte)'/'];

    /// <summary>The first fields of each request of gRPC.</summary>
    public static (string Name, string Value)[] Request(string path, params (string Name, string Value)[] more) =>
    [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        .. more,
    ];

    /// <summary>
    /// A block of fields whose values are sent as text, valid or not. A name that has a number is sent as the number.
    /// </summary>
    public static byte[] Fields(params ReadOnlySpan<(string Name, string Value)> fields)
    {
        var block = new List<byte>();
        foreach (var (name, value) in fields)
        {
            block.AddRange(Field(name, Encoding.UTF8.GetBytes(value), isSpelled: false));
        }

        return [.. block];
    }

    /// <summary>One field, byte by byte.</summary>
    public static byte[] Field(string name, byte[] value, bool isSpelled)
    {
        var number = isSpelled ? HeaderNames.Unknown : HeaderNames.NumberOf(name);
        byte[] begin = number == HeaderNames.Unknown
            ? [.. Number((uint)Encoding.UTF8.GetByteCount(name) << 2), .. Encoding.UTF8.GetBytes(name)]
            : Number(((uint)number << 2) | 1);
        return [.. begin, .. Number((uint)value.Length), .. value];
    }

    /// <summary>A field that defines a pair.</summary>
    public static byte[] Definition(uint pair, string name, string value) =>
    [
        .. Number(((uint)HeaderNames.NumberOf(name) << 2) | 3),
        .. Number(pair),
        .. Number((uint)Encoding.UTF8.GetByteCount(value)),
        .. Encoding.UTF8.GetBytes(value),
    ];

    /// <summary>A field that refers to a pair.</summary>
    public static byte[] Reference(uint pair) => Number((pair << 2) | 2);

    public static byte[] Message(
        uint call, FrameFlags flags, byte[]? headers = null, int data = 0, byte[]? trailers = null)
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

    private static byte[] Number(uint value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        bytes.Add((byte)value);
        return [.. bytes];
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
