using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Tests.Handshake;

/// <summary>Clients that say nothing and are not cut off yet, and others beside them.</summary>
[Collection(AloneCollection.Name)]
public sealed class PendingClientTests : HostileTest
{
    private const int Pending = 3;

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
        // The first silent client has taken the spare, if it said enough.
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
        settings with { HandshakeTimeout = TimeLimit.Value, MaxPendingHandshakes = Pending };
}
