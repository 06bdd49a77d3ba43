using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;
using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts;

/// <summary>
/// The common base of the suites that use a make by a reactor, both sides' handshakes, and a connection. They run
/// alone, since the make takes the place of the system's own.
/// </summary>
public abstract class StackContract : PlatformContract
{
    private readonly TransportPlatform _before = TransportPlatform.Current;
    private readonly Reactor _reactor;

    private protected StackContract(PlatformMake make)
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

    private protected ControlChannel Open(ControlSocket socket) => new(socket, _reactor);

    private protected Task<ConnectionParts> ConnectAsync(ControlChannel channel) => ClientHandshake.RunAsync(
        channel, _reactor, new ConnectSettings(), TestContext.Current.CancellationToken);

    private protected Task<ConnectionParts> AcceptAsync(ControlChannel channel) => ServerHandshake.RunAsync(
        channel,
        _reactor,
        new ListenerSettings { Rendezvous = new RendezvousSettings(Directory), RingSize = RingSizes.Smallest },
        static (toServer, toClient) => ValueTask.FromResult(SegmentOffer.Create(toServer, toClient)),
        TestContext.Current.CancellationToken);

    private protected SharedMemoryConnection Create(ConnectionParts parts) =>
        new(parts, EndPoint, TransportMetrics.For(null), new LogCollector());
}
