using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Tests.Handshake;

/// <summary>Clients that begin and then say nothing.</summary>
[Collection(AloneCollection.Name)]
public sealed class SilentClientTests : HostileTest
{
    private const int Pending = 3;

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

    [Fact]
    public async Task Handshake_TooManyAtOnce_TheNextIsToldToTryAgainAndLaterGetsIn()
    {
        var silent = Enumerable.Range(0, Pending).Select(_ => new RawBytesPeer(EndPoint.SocketPath)).ToArray();
        var refused = await Assert.ThrowsAsync<HandshakeException>(EndPoint.ConnectAsync);
        Assert.Equal(RefusalCode.Busy, refused.Code);
        await EndPoint.ServerLog.WaitForAsync("ClientRefused", "(Busy)");

        EndPoint.ConnectSettings = EndPoint.ConnectSettings with { WaitForServer = TimeLimit.Value };
        var waiting = EndPoint.ConnectAsync();
        Array.ForEach(silent, s => s.Dispose());
        (await waiting).Dispose();
        (await EndPoint.AcceptAsync()).Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(27)]
    [InlineData(28)]
    public async Task Handshake_ClientHangsAnywhere_DelaysNoOtherClientAndNoCall(int bytes)
    {
        // The first silent client has taken the spare, if it said enough. It may be cut off at any time.
        using var silent = new RawBytesPeer(EndPoint.SocketPath);
        silent.Send(new ClientHello(1, 1, ConnectionModes.Bytes, 0, 0, 0).Write().AsSpan(0, bytes));
        for (var i = 0; i < 20; i++)
        {
            var (client, server) = await EndPoint.ConnectPairAsync();
            await using var clientStream = new RingStream(client, FileAccess.ReadWrite);
            await using var serverStream = new RingStream(server, FileAccess.ReadWrite);
            await StreamBytes.EchoAsync(clientStream, serverStream);
        }
    }

    private protected override ListenerSettings Configure(ListenerSettings settings) =>
        settings with { HandshakeTimeout = TimeSpan.FromSeconds(1), MaxPendingHandshakes = Pending };
}
