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
    public async Task Checksums_EitherWantsThem_AreInForceInDirectMode(uint mode, bool clientWants, bool serverWants, bool inForce)
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

    private static TestEndPoint Create(uint wanted, uint offered)
    {
        var endPoint = new TestEndPoint();
        endPoint.Settings = endPoint.Settings with { Modes = () => (ConnectionModes)offered };
        endPoint.ConnectSettings = endPoint.ConnectSettings with { Modes = (ConnectionModes)wanted };
        return endPoint;
    }
}
