namespace GrpcShm.EventBus;

/// <summary>Listens for the connections of other processes, until it is disposed of.</summary>
public abstract class EventLaneListener : IAsyncDisposable
{
    /// <summary>The address, which the hub tells other processes. At most 1,024 bytes of UTF-8.</summary>
    public abstract string Address { get; }

    /// <summary>Waits for the next connection.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The connection, which the caller owns; <see langword="null"/> once the listener has ended.</returns>
    public abstract ValueTask<EventLaneConnection?> AcceptAsync(CancellationToken cancellationToken);

    /// <summary>Gives the address back. Connections that were accepted stay.</summary>
    public abstract ValueTask DisposeAsync();
}
