using System.Buffers.Binary;

namespace GrpcShm.Transport.Handshake;

/// <summary>The client's first message: what it offers and wishes.</summary>
/// <param name="MinVersion">The lowest protocol version that the client speaks.</param>
/// <param name="MaxVersion">The highest protocol version that the client speaks.</param>
/// <param name="Modes">The protocols that the client allows in the rings.</param>
/// <param name="ClientToServerSize">The ring size in bytes that the client asks for, or 0 for the server's
/// default.</param>
/// <param name="ServerToClientSize">The same for the other direction.</param>
/// <param name="Features">The features that the client asks for, see <see cref="ConnectionFeatures"/>.</param>
internal readonly record struct ClientHello(
    ushort MinVersion,
    ushort MaxVersion,
    ConnectionModes Modes,
    uint ClientToServerSize,
    uint ServerToClientSize,
    uint Features)
{
    public const int Size = 20;

    public byte[] Write()
    {
        Span<byte> body = stackalloc byte[Size];
        BinaryPrimitives.WriteUInt16LittleEndian(body, MinVersion);
        BinaryPrimitives.WriteUInt16LittleEndian(body[2..], MaxVersion);
        BinaryPrimitives.WriteUInt32LittleEndian(body[4..], (uint)Modes);
        BinaryPrimitives.WriteUInt32LittleEndian(body[8..], ClientToServerSize);
        BinaryPrimitives.WriteUInt32LittleEndian(body[12..], ServerToClientSize);
        BinaryPrimitives.WriteUInt32LittleEndian(body[16..], Features);
        return ControlMessage.Write(ControlMessageType.ClientHello, body);
    }

    /// <summary>Reads a hello of any version: later versions may only add fields.</summary>
    /// <exception cref="SharedMemoryProtocolException">The hello is too short.</exception>
    public static ClientHello Read(ReadOnlySpan<byte> body) =>
        body.Length >= Size
            ? new ClientHello(
                BinaryPrimitives.ReadUInt16LittleEndian(body),
                BinaryPrimitives.ReadUInt16LittleEndian(body[2..]),
                (ConnectionModes)BinaryPrimitives.ReadUInt32LittleEndian(body[4..]),
                BinaryPrimitives.ReadUInt32LittleEndian(body[8..]),
                BinaryPrimitives.ReadUInt32LittleEndian(body[12..]),
                BinaryPrimitives.ReadUInt32LittleEndian(body[16..]))
            : throw new SharedMemoryProtocolException(
                $"The client's hello has {body.Length} bytes; {Size} are needed.");
}
