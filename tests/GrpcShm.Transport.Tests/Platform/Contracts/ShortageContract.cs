using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;
using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts;

/// <summary>
/// What stands on a make in which each operation in turn fails for want of handles or memory. Alone, since the make
/// takes the place of the system's own.
/// </summary>
public abstract class ShortageContract : PlatformContract
{
    // More operations than a connection takes by far.
    private const int Most = 500;

    private readonly TransportPlatform _before = TransportPlatform.Current;
    private readonly FailingMake _make;
    private readonly Reactor _reactor;

    private protected ShortageContract(FailingMake make)
        : base(make)
    {
        _make = make;
        TransportPlatform.Current = Platform;
        _reactor = new Reactor(
            static () => TransportPlatform.Current.CreatePoller(),
            "GrpcShm shortage reactor",
            new AdaptiveWait(TimeSpan.Zero),
            static () => TransportPlatform.Current.WatchThread(),
            static () => TimeSpan.Zero);
    }

    protected override void OnDisposing() => TransportPlatform.Current = _before;

    [Fact]
    public async Task Connection_EachOperationFailsOnce_BothSidesEndAndGiveEverythingBack()
    {
        var shortage = _make.Shortage;
        for (var operation = 1; operation < Most; operation++)
        {
            shortage.FailAt(operation);
            var ends = await ConnectAsync();
            var isComplete = ends.All(static end => end is not null);
            Array.ForEach(ends, static end => end?.Dispose());
            await TimeLimit.UntilAsync(
                () => shortage.Kept == 0,
                () => $"{shortage.Kept} handles are kept after operation {operation} has failed.");
            if (!shortage.HasFailed)
            {
                // All have had their turn: now the connection stands. Twelve is what a handshake takes at the very
                // least.
                Assert.True(isComplete, "Nothing has failed, and there is no connection.");
                Assert.True(operation > 12, $"Only {operation - 1} operations could fail.");
                return;
            }
        }

        Assert.Fail($"After {Most} failures there is still no connection.");
    }

    private async Task<SharedMemoryConnection?[]> ConnectAsync()
    {
        using var listening = Platform.Listen(EndPoint, new RendezvousSettings(Directory));
        ControlSocket? client = null;
        ControlSocket server;
        try
        {
            client = Connect();
            server = Accept(listening);
        }
        catch (SharedMemoryResourcesException)
        {
            client?.Dispose();
            return [];
        }

        return await Task.WhenAll(
            CompleteAsync(client, channel => ClientHandshake.RunAsync(
                channel, _reactor, new ConnectSettings(), TestContext.Current.CancellationToken)),
            CompleteAsync(server, channel => ServerHandshake.RunAsync(
                channel,
                _reactor,
                new ListenerSettings { Rendezvous = new RendezvousSettings(Directory), RingSize = RingSizes.Smallest },
                static (toServer, toClient) => ValueTask.FromResult(SegmentOffer.Create(toServer, toClient)),
                TestContext.Current.CancellationToken))).InTime();
    }

    /// <returns>The connection, or <see langword="null"/> if this side or the other has failed.</returns>
    private async Task<SharedMemoryConnection?> CompleteAsync(
        ControlSocket socket, Func<ControlChannel, Task<ConnectionParts>> shakeHandsAsync)
    {
        var channel = new ControlChannel(socket, _reactor);
        try
        {
            var parts = await shakeHandsAsync(channel).InTime();
            return new SharedMemoryConnection(parts, EndPoint, TransportMetrics.For(null), new LogCollector());
        }
        catch (IOException)
        {
            channel.Dispose();
            return null;
        }
    }
}
