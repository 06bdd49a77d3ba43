using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>A client whose transport fails to accept connections.</summary>
public sealed class LaneListeningTests : IDisposable
{
    private readonly LaneMeter _meter = new();

    public void Dispose() => _meter.Dispose();

    [Fact]
    public async Task Accept_FailsForAWhile_LanesAreAcceptedAfterwards()
    {
        var transport = new FailingLanes(failures: 10);
        using var bench = new ClientLanesBench(_meter, transport);
        var address = await AnnounceAsync(bench);
        bench.Introduce(1);

        await bench.ConnectAsync(transport, address, 1);

        Assert.Equal(address, await AnnounceAsync(bench));
        Assert.Equal(1, transport.Listeners);
        await bench.Lanes.StopListeningAsync();
    }

    [Fact]
    public async Task Accept_FailsForGood_TheNextSessionListensAnew()
    {
        var transport = new FailingLanes(failures: int.MaxValue);
        using var bench = new ClientLanesBench(_meter, transport);
        var address = await AnnounceAsync(bench);
        await TimeLimit.UntilAsync(() => transport.Disposed == 1);
        transport.Failures = 0;

        var next = await AnnounceAsync(bench);

        Assert.NotEqual(address, next);
        bench.Introduce(1);
        await bench.ConnectAsync(transport, next, 1);
        await bench.Lanes.StopListeningAsync();
        Assert.Equal(2, transport.Disposed);
    }

    private static async Task<string> AnnounceAsync(ClientLanesBench bench)
    {
        var opening = new OpenSession();
        await bench.Lanes.AnnounceAsync(opening, CancellationToken.None).InTime();
        return opening.LaneAddress;
    }

    private sealed class FailingLanes(int failures) : EventLaneTransport
    {
        private readonly PipeLanes _lanes = new();
        private int _failures = failures;
        private int _listeners;
        private int _disposed;

        public int Failures
        {
            set => Volatile.Write(ref _failures, value);
        }

        public int Listeners => Volatile.Read(ref _listeners);

        public int Disposed => Volatile.Read(ref _disposed);

        public override async ValueTask<EventLaneListener> ListenAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _listeners);
            return new Listener(this, await _lanes.ListenAsync(cancellationToken));
        }

        public override ValueTask<EventLaneConnection> ConnectAsync(
            string address, CancellationToken cancellationToken) => _lanes.ConnectAsync(address, cancellationToken);

        private sealed class Listener(FailingLanes lanes, EventLaneListener listener) : EventLaneListener
        {
            public override string Address => listener.Address;

            public override ValueTask<EventLaneConnection?> AcceptAsync(CancellationToken cancellationToken) =>
                Interlocked.Decrement(ref lanes._failures) >= 0
                    ? ValueTask.FromException<EventLaneConnection?>(new IOException("Too many files are open."))
                    : listener.AcceptAsync(cancellationToken);

            public override ValueTask DisposeAsync()
            {
                Interlocked.Increment(ref lanes._disposed);
                return listener.DisposeAsync();
            }
        }
    }
}
