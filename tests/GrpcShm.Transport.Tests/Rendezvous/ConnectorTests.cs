using System.Net.Sockets;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Rendezvous;

namespace GrpcShm.Transport.Tests.Rendezvous;

public sealed class ConnectorTests : IAsyncLifetime
{
    private readonly TestEndPoint _endPoint = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _endPoint.DisposeAsync();

    [Fact]
    public async Task Connect_NobodyListens_SaysWhereItLooked()
    {
        var refused = await Assert.ThrowsAnyAsync<IOException>(_endPoint.ConnectAsync);
        Assert.Contains(_endPoint.EndPoint.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.Contains(_endPoint.SocketPath, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_ServerStartsLater_WaitsForIt()
    {
        _endPoint.ConnectSettings = _endPoint.ConnectSettings with { WaitForServer = TimeLimit.Value };
        var connecting = _endPoint.ConnectAsync();
        Assert.False(connecting.IsCompleted);
        _endPoint.Listen();
        using var client = await connecting;
        using var server = await _endPoint.AcceptAsync();
    }

    [Fact]
    public async Task Connect_WaitingIsCancelled_Ends()
    {
        _endPoint.ConnectSettings = _endPoint.ConnectSettings with { WaitForServer = TimeLimit.Value };
        using var source = new CancellationTokenSource();
        var connecting = new GrpcShm.Transport.Rendezvous.SharedMemoryConnector(
            _endPoint.EndPoint,
            _endPoint.ConnectSettings,
            GrpcShm.Transport.Diagnostics.TransportMetrics.For(null),
            _endPoint.ClientLog).ConnectAsync(source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.InTime());
    }

    [Fact]
    public async Task Connect_ServerDoesNotAnswer_GivesUpInTheEnd()
    {
        using var silent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silent.Bind(new UnixDomainSocketEndPoint(_endPoint.SocketPath));
        silent.Listen();
        _endPoint.ConnectSettings = _endPoint.ConnectSettings with { ConnectTimeout = TimeSpan.FromMilliseconds(50) };
        var refused = await Assert.ThrowsAsync<NoServerException>(_endPoint.ConnectAsync);
        Assert.True(refused.IsSilent);
        Assert.Contains("did not answer within 00:00:00.05", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_FortyAtTheSameMoment_AllWork()
    {
        _endPoint.Listen();
        var clients = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(_endPoint.ConnectAsync)));
        var servers = new List<SharedMemoryConnection>();
        foreach (var client in clients)
        {
            servers.Add(await _endPoint.AcceptAsync());
            await using var stream = new RingStream(client, FileAccess.ReadWrite);
            await stream.WritePatternAsync(0, 10);
        }

        foreach (var server in servers)
        {
            await using var stream = new RingStream(server, FileAccess.ReadWrite);
            await stream.ReadPatternAsync(0, 10);
        }
    }

    [Theory]
    [InlineData(null, 4096)]
    [InlineData(8192, 8192)]
    [InlineData(65536, 16384)]
    public async Task Connect_WantedRingSize_IsGrantedUpToTheServersLimit(int? wanted, int granted)
    {
        _endPoint.Settings = _endPoint.Settings with { MaxRingSize = 16384 };
        _endPoint.ConnectSettings = _endPoint.ConnectSettings with { RingSize = wanted };
        _endPoint.Listen();
        var (client, server) = await _endPoint.ConnectPairAsync();
        using (client)
        using (server)
        {
            Assert.Equal(granted, client.Outbound.Capacity);
            Assert.Equal(granted, client.Inbound.Capacity);
            Assert.Equal(granted, server.Outbound.Capacity);
            Assert.Equal(granted, server.Inbound.Capacity);
        }
    }
}
