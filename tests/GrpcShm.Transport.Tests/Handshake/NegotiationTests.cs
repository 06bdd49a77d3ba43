using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Tests.Handshake;

public sealed class NegotiationTests
{
    private const ConnectionModes Bytes = ConnectionModes.Bytes;
    private const ConnectionModes Calls = ConnectionModes.Calls;

    [Theory]
    [InlineData((uint)Bytes, (uint)Bytes, (uint)Bytes)]
    [InlineData((uint)(Bytes | Calls), (uint)Bytes, (uint)Bytes)]
    [InlineData((uint)Bytes, (uint)(Bytes | Calls), (uint)Bytes)]
    [InlineData((uint)(Bytes | Calls), (uint)(Bytes | Calls), (uint)Calls)]
    [InlineData((uint)Calls, (uint)(Bytes | Calls), (uint)Calls)]
    [InlineData((uint)(Bytes | Calls), (uint)Calls, (uint)Calls)]
    public async Task Mode_BothHaveOne_IsTheBestOfThose(uint wanted, uint offered, uint mode)
    {
        await using var endPoint = Create(wanted, offered);
        endPoint.Listen();
        var (client, server) = await endPoint.ConnectPairAsync();
        Assert.Equal(((ConnectionModes)mode, (ConnectionModes)mode), (client.Mode, server.Mode));
        client.Dispose();
        server.Dispose();
    }

    [Theory]
    [InlineData((uint)Calls, (uint)Bytes)]
    [InlineData((uint)Bytes, (uint)Calls)]
    [InlineData((uint)(Bytes | Calls), 0u)]
    public async Task Mode_NoneInCommon_IsRefused(uint wanted, uint offered)
    {
        await using var endPoint = Create(wanted, offered);
        endPoint.Listen();
        var refusal = await Assert.ThrowsAnyAsync<Exception>(endPoint.ConnectAsync);
        Assert.Contains("direct mode", refusal.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData((uint)Calls, false, false, false)]
    [InlineData((uint)Calls, true, false, true)]
    [InlineData((uint)Calls, false, true, true)]
    [InlineData((uint)Calls, true, true, true)]
    [InlineData((uint)Bytes, true, true, false)]
    public async Task Checksums_EitherWantsThem_AreInForceInDirectMode(
        uint mode, bool clientWants, bool serverWants, bool inForce)
    {
        await using var endPoint = Create(mode, mode);
        endPoint.ConnectSettings = endPoint.ConnectSettings with { UseChecksums = clientWants };
        endPoint.Settings = endPoint.Settings with { UseChecksums = serverWants };
        endPoint.Listen();
        var (client, server) = await endPoint.ConnectPairAsync();
        Assert.Equal((inForce, inForce), (client.HasChecksums, server.HasChecksums));
        client.Dispose();
        server.Dispose();
    }

    [Theory]
    [InlineData((uint)Bytes, false, false)]
    [InlineData((uint)Bytes, true, true)]
    [InlineData((uint)Calls, true, false)]
    public async Task Http2Alone_EndpointSpeaksIt_IsToldToAClientOfBytes(uint mode, bool speaksIt, bool isTold)
    {
        await using var endPoint = Create(mode, mode);
        endPoint.Settings = endPoint.Settings with { SpeaksHttp2Alone = () => speaksIt };
        endPoint.Listen();
        var (client, server) = await endPoint.ConnectPairAsync();
        Assert.Equal((isTold, isTold), (client.SpeaksHttp2Alone, server.SpeaksHttp2Alone));
        client.Dispose();
        server.Dispose();
    }

    [Theory]
    [InlineData(0u, 0u)]
    [InlineData(1u, 0u)]
    [InlineData(2u, 2u)]
    [InlineData(uint.MaxValue, 2u)]
    public async Task Http2Alone_NotAskedFor_IsNotTold(uint asked, uint told)
    {
        await using var endPoint = Create((uint)Bytes, (uint)Bytes);
        endPoint.Settings = endPoint.Settings with { SpeaksHttp2Alone = static () => true };
        endPoint.Listen();
        using var peer = new RawBytesPeer(endPoint.SocketPath);

        peer.Send(new ClientHello(1, 1, Bytes, 0, 0, asked).Write());

        Assert.Equal(told, ServerHello.Read(peer.Receive()!.Body).Features);
    }

    private static TestEndPoint Create(uint wanted, uint offered)
    {
        var endPoint = new TestEndPoint();
        endPoint.Settings = endPoint.Settings with { Modes = () => (ConnectionModes)offered };
        endPoint.ConnectSettings = endPoint.ConnectSettings with { Modes = (ConnectionModes)wanted };
        return endPoint;
    }
}
