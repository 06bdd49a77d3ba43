using System.Buffers.Binary;

namespace GrpcShm.Transport.Handshake;

/// <summary>
/// The server's answer: what it grants. Three handles go with it: the segment's memory, the server's doorbell, the
/// client's doorbell.
/// </summary>
/// <param name="Version">The protocol version from here on.</param>
/// <param name="Mode">The protocol in the rings: exactly one of those that the client offered.</param>
/// <param name="ClientToServerSize">The ring's size in bytes.</param>
/// <param name="ServerToClientSize">The other ring's size in bytes.</param>
/// <param name="Features">The features in force: some that the client asked for, and some of the server's
/// own.</param>
/// <param name="MaxCalls">The most calls at once on the connection, in direct mode; else 0.</param>
internal readonly record struct ServerHello(
    ushort Version,
    ConnectionModes Mode,
    uint ClientToServerSize,
    uint ServerToClientSize,
    uint Features,
    uint MaxCalls)
{
    public const int Size = 24;
    public const int AttachmentCount = 3;

    public byte[] Write()
    {
        Span<byte> body = stackalloc byte[Size];
        BinaryPrimitives.WriteUInt16LittleEndian(body, Version);
        BinaryPrimitives.WriteUInt16LittleEndian(body[2..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(body[4..], (uint)Mode);
        BinaryPrimitives.WriteUInt32LittleEndian(body[8..], ClientToServerSize);
        BinaryPrimitives.WriteUInt32LittleEndian(body[12..], ServerToClientSize);
        BinaryPrimitives.WriteUInt32LittleEndian(body[16..], Features);
        BinaryPrimitives.WriteUInt32LittleEndian(body[20..], MaxCalls);
        return ControlMessage.Write(ControlMessageType.ServerHello, body);
    }

    /// <exception cref="SharedMemoryProtocolException">The hello is too short.</exception>
    public static ServerHello Read(ReadOnlySpan<byte> body) =>
        body.Length >= Size
            ? new ServerHello(
                BinaryPrimitives.ReadUInt16LittleEndian(body),
                (ConnectionModes)BinaryPrimitives.ReadUInt32LittleEndian(body[4..]),
                BinaryPrimitives.ReadUInt32LittleEndian(body[8..]),
                BinaryPrimitives.ReadUInt32LittleEndian(body[12..]),
                BinaryPrimitives.ReadUInt32LittleEndian(body[16..]),
                BinaryPrimitives.ReadUInt32LittleEndian(body[20..]))
            : throw new SharedMemoryProtocolException(
                $"The server's hello has {body.Length} bytes; {Size} are needed.");
}
