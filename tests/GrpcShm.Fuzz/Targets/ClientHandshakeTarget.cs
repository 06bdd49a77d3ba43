using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Fuzz.Targets;

/// <summary>
/// A client whose server sends any bytes and handles. An input begins with the header of the memory if its first byte
/// is odd; otherwise the header is correct. The rest of the input is for the socket.
/// </summary>
internal sealed class ClientHandshakeTarget : HandshakeTarget
{
    private static readonly ConnectSettings Settings = new();

    private static readonly byte[] Hello =
        new ServerHello(1, ConnectionModes.Bytes, SharedFiles.RingSize, SharedFiles.RingSize, 0, 0).Write();

    private static readonly byte[] Close = ControlMessage.Write(
        ControlMessageType.Close, (ushort)CloseCode.Graceful, "bye");
    private static readonly byte[] Refusal = ControlMessage.Write(
        ControlMessageType.Refusal, (ushort)RefusalCode.Busy, "no");

    public override string Name => "client-handshake";

    public override IEnumerable<byte[]> Seeds =>
    [
        [0, .. ScriptedSocket.Script(0, [0, 1, 1], Hello, Close)],
        [0, .. ScriptedSocket.Script(1, [0, 1, 1], Hello)],
        [1, .. HeaderBytes(), .. ScriptedSocket.Script(0, [0, 1, 1], Hello)],
        [0, .. ScriptedSocket.Script(0, [2, 1, 1], Hello)],
        [0, .. ScriptedSocket.Script(0, [0, 5, 6], Hello)],
        [0, .. ScriptedSocket.Script(0, [], Refusal)],
        [0, .. ScriptedSocket.Script(0, [0, 1, 1], Hello, Refusal)],
    ];

    protected override Task<ConnectionParts> ShakeHandsAsync(ControlChannel channel, Reactor reactor) =>
        ClientHandshake.RunAsync(channel, reactor, Settings, CancellationToken.None);

    protected override ReadOnlySpan<byte> Prepare(ReadOnlySpan<byte> input)
    {
        var reader = new InputReader(input);
        if ((reader.TakeByte() & 1) == 0)
        {
            Files.SetHeader(SharedFiles.GoodHeader);
            return reader.Rest;
        }

        Files.SetHeader(SharedFiles.ReadHeader(reader.Rest));
        return reader.Rest[Math.Min(reader.Rest.Length, SegmentLayout.HeaderSize)..];
    }

    private static ReadOnlySpan<byte> HeaderBytes() =>
        System.Runtime.InteropServices.MemoryMarshal.AsBytes<SegmentHeader>(new[] { SharedFiles.GoodHeader });
}
