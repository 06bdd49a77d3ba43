using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Transport.Handshake;

/// <summary>
/// One message over the control socket: an eight-byte prefix (magic, type, length) and a body, all little-endian.
/// Specified in <c>docs/why/protocol.md</c>, "Handshake".
/// </summary>
/// <param name="Type">The type; not checked yet.</param>
/// <param name="Body">The bytes behind the prefix.</param>
/// <param name="Attachments">The handles that came with the message, which owns them as long as they are in the
/// list.</param>
internal sealed record ControlMessage(ControlMessageType Type, byte[] Body, List<SafeHandle> Attachments) : IDisposable
{
    public const int PrefixSize = 8;
    public const int MaxSize = 1024;
    public const int MaxTextBytes = 512;

    /// <summary>Writes a message.</summary>
    public static byte[] Write(ControlMessageType type, ReadOnlySpan<byte> body)
    {
        var message = new byte[PrefixSize + body.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(message, SegmentLayout.Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), (ushort)type);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(6), (ushort)message.Length);
        body.CopyTo(message.AsSpan(PrefixSize));
        return message;
    }

    /// <summary>Writes a message that consists of a code and a sentence for people.</summary>
    public static byte[] Write(ControlMessageType type, ushort code, string text)
    {
        Span<byte> body = stackalloc byte[2 + MaxTextBytes];
        BinaryPrimitives.WriteUInt16LittleEndian(body, code);

        // A text that is too long is cut between two characters, not within one.
        Encoding.UTF8.GetEncoder().Convert(text, body[2..], flush: true, out _, out var length, out _);
        return Write(type, body[..(2 + length)]);
    }

    /// <summary>The length of the message that begins here.</summary>
    /// <returns>The length of the whole message, or 0 if the prefix is not complete yet.</returns>
    /// <exception cref="SharedMemoryProtocolException">The bytes are no message.</exception>
    public static int ReadLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < PrefixSize)
        {
            return 0;
        }

        var magic = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        var length = BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]);
        if (magic != SegmentLayout.Magic)
        {
            throw new SharedMemoryProtocolException(
                $"The peer does not speak the shared-memory protocol: its message begins with 0x{magic:X8}.");
        }

        return length is >= PrefixSize and <= MaxSize
            ? length
            : throw new SharedMemoryProtocolException(
                $"The peer's message has {length} bytes; {PrefixSize} to {MaxSize} are allowed.");
    }

    public static ControlMessage Read(ReadOnlySpan<byte> message, List<SafeHandle> attachments) =>
        new((ControlMessageType)BinaryPrimitives.ReadUInt16LittleEndian(message[4..]),
            message[PrefixSize..].ToArray(),
            attachments);

    /// <summary>Reads the body as a code and a sentence.</summary>
    /// <exception cref="SharedMemoryProtocolException">The message has no code.</exception>
    public (ushort Code, string Text) ReadCodeAndText()
    {
        if (Body.Length < 2)
        {
            throw new SharedMemoryProtocolException($"The peer's {Type} message has no code.");
        }

        var text = Encoding.UTF8.GetString(Body.AsSpan(2, Math.Min(Body.Length - 2, MaxTextBytes)));
        return (BinaryPrimitives.ReadUInt16LittleEndian(Body), PeerText.Clean(text, PeerText.MaxSentence));
    }

    public void Dispose()
    {
        foreach (var attachment in Attachments)
        {
            attachment.Dispose();
        }

        Attachments.Clear();
    }
}
