using GrpcShm.Transport;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Fuzz.Targets;

/// <summary>A server whose client sends any bytes.</summary>
internal sealed class ServerHandshakeTarget : HandshakeTarget
{
    // The rings are small, since the server allocates them in full for each granted hello.
    private static readonly ListenerSettings Settings = new()
    {
        Rendezvous = new RendezvousSettings(null),
        RingSize = RingSizes.Smallest,
        MaxRingSize = 2 * RingSizes.Smallest,
    };

    private static readonly byte[] Hello =
        new ClientHello(1, 1, ConnectionModes.Bytes, 0, RingSizes.Smallest, 0).Write();
    private static readonly byte[] Ready = ControlMessage.Write(ControlMessageType.Ready, []);
    private static readonly byte[] Close = ControlMessage.Write(
        ControlMessageType.Close, (ushort)CloseCode.Graceful, "bye");
    private static readonly byte[] Refusal = ControlMessage.Write(
        ControlMessageType.Refusal, (ushort)RefusalCode.Segment, "no");

    public override string Name => "server-handshake";

    public override IEnumerable<byte[]> Seeds =>
    [
        ScriptedSocket.Script(0, [], Hello, Ready, Close),
        ScriptedSocket.Script(1, [], Hello, Ready),
        ScriptedSocket.Script(0, [], Hello, Refusal),
        ScriptedSocket.Script(0, [], Refusal),
        ScriptedSocket.Script(9, [1], Hello, Ready, Close),
    ];

    protected override Task<ConnectionParts> ShakeHandsAsync(ControlChannel channel, Reactor reactor) =>
        ServerHandshake.RunAsync(
            channel,
            reactor,
            Settings,
            static (toServer, toClient) => ValueTask.FromResult(SegmentOffer.Create(toServer, toClient)),
            CancellationToken.None);
}
