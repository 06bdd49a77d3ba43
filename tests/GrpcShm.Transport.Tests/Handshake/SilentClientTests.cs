using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Tests.Handshake;

/// <summary>Clients that begin and then say nothing, until they are cut off.</summary>
[Collection(AloneCollection.Name)]
public sealed class SilentClientTests : HostileTest
{
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(27)]
    [InlineData(28)]
    public async Task Handshake_ClientFallsSilent_IsCutOffWhenItsTimeIsOver(int bytes)
    {
        using var peer = new RawBytesPeer(EndPoint.SocketPath);
        peer.Send(new ClientHello(1, 1, ConnectionModes.Bytes, 0, 0, 0).Write().AsSpan(0, bytes));
        Assert.Equal(RefusalCode.TimedOut, peer.ReceiveToTheEnd());
        await EndPoint.ServerLog.WaitForAsync("ClientRefused", "(TimedOut): The handshake took longer than");
    }

    private protected override ListenerSettings Configure(ListenerSettings settings) =>
        settings with { HandshakeTimeout = TimeSpan.FromSeconds(1) };
}
