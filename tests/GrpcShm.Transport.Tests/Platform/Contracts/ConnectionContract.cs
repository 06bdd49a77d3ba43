using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;
using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts;

/// <summary>
/// All parts of a make together, beneath what stands on them: a reactor, both sides' handshakes, and a connection.
/// Alone, since the make takes the place of the system's own.
/// </summary>
public abstract class ConnectionContract : PlatformContract
{
    private readonly TransportPlatform _before = TransportPlatform.Current;
    private readonly Reactor _reactor;

    private protected ConnectionContract(PlatformMake make)
        : base(make)
    {
        TransportPlatform.Current = Platform;
        _reactor = new Reactor(
            static () => TransportPlatform.Current.CreatePoller(),
            "GrpcShm contract reactor",
            new AdaptiveWait(TimeSpan.Zero),
            static () => TransportPlatform.Current.WatchThread(),
            static () => TimeSpan.Zero);
    }

    protected override void OnDisposing() => TransportPlatform.Current = _before;

    [Fact]
    public async Task Connection_BytesBothWays_ArriveInOrder()
    {
        const int Count = 200_000;
        var (client, server) = await ConnectAsync();
        await using var clientStream = new RingStream(client, FileAccess.ReadWrite);
        await using var serverStream = new RingStream(server, FileAccess.ReadWrite);
        var sent = new byte[Count];
        Random.Shared.NextBytes(sent);
        var token = TestContext.Current.CancellationToken;

        // More than the rings hold, so that both sides wait, and are woken, time and again.
        async Task EchoAsync()
        {
            var buffer = new byte[1000];
            for (var left = Count; left > 0;)
            {
                var count = await serverStream.ReadAsync(buffer, token);
                Assert.NotEqual(0, count);
                await serverStream.WriteAsync(buffer.AsMemory(0, count), token);
                left -= count;
            }
        }

        var received = new byte[Count];
        var echo = EchoAsync();
        var write = clientStream.WriteAsync(sent, token).AsTask();
        await clientStream.ReadExactlyAsync(received, token).InTime();
        await Task.WhenAll(echo, write).InTime();
        Assert.Equal(sent, received);
    }

    [Fact]
    public async Task Connection_OneSideEnds_TheOtherIsTold()
    {
        var (client, server) = await ConnectAsync();
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = client.Closed.Register(ended.SetResult);
        server.Dispose();
        await ended.Task.InTime();
        client.Dispose();
    }

    [Fact]
    public async Task Handshake_ClientGoesAwayMeanwhile_ServerIsToldAndGivesEverythingBack()
    {
        var (clientSocket, serverSocket) = Meet();
        using var channel = new ControlChannel(serverSocket, _reactor);
        var accepting = AcceptAsync(channel);
        clientSocket.Dispose();
        await Assert.ThrowsAsync<EndOfStreamException>(() => accepting.InTime());
    }

    private async Task<(SharedMemoryConnection Client, SharedMemoryConnection Server)> ConnectAsync()
    {
        var (clientSocket, serverSocket) = Meet();
        var accepting = AcceptAsync(new ControlChannel(serverSocket, _reactor));
        var connecting = ClientHandshake.RunAsync(
            new ControlChannel(clientSocket, _reactor),
            _reactor,
            new ConnectSettings(),
            TestContext.Current.CancellationToken);
        return (Create(await connecting.InTime()), Create(await accepting.InTime()));
    }

    private Task<ConnectionParts> AcceptAsync(ControlChannel channel) => ServerHandshake.RunAsync(
        channel,
        _reactor,
        new ListenerSettings { Rendezvous = new RendezvousSettings(Directory), RingSize = RingSizes.Smallest },
        static (toServer, toClient) => ValueTask.FromResult(SegmentOffer.Create(toServer, toClient)),
        TestContext.Current.CancellationToken);

    private SharedMemoryConnection Create(ConnectionParts parts) =>
        Own(new SharedMemoryConnection(parts, EndPoint, TransportMetrics.For(null), new LogCollector()));
}
