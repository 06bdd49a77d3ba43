using GrpcShm.Transport.Rendezvous;

namespace GrpcShm.EventBus;

/// <summary>Listens on an endpoint of shared memory.</summary>
internal sealed class SharedMemoryLaneListener(SharedMemoryListener listener) : EventLaneListener
{
    public override string Address => listener.EndPoint.Name;

    public override async ValueTask<EventLaneConnection?> AcceptAsync(CancellationToken cancellationToken) =>
        await listener.AcceptAsync(cancellationToken).ConfigureAwait(false) is { } connection
            ? new SharedMemoryLaneConnection(connection)
            : null;

    public override ValueTask DisposeAsync() => listener.DisposeAsync();
}
