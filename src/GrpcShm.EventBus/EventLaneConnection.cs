using System.IO.Pipelines;

namespace GrpcShm.EventBus;

/// <summary>A connection of two processes, which carries bytes in both directions, in order.</summary>
/// <remarks>
/// When one side disposes of it, the other side reads what was flushed before, and then the end. One thread at a time
/// reads, and one writes. What is read may lie in memory that the other process can still change: the client copies it
/// before it looks at it.
/// </remarks>
public abstract class EventLaneConnection : IDuplexPipe, IAsyncDisposable
{
    /// <summary>Reads what the other process has written.</summary>
    public abstract PipeReader Input { get; }

    /// <summary>Writes to the other process. A flush waits if the other process does not read.</summary>
    public abstract PipeWriter Output { get; }

    /// <summary>
    /// Closes the connection. Reads and flushes that wait end, and later ones fail or say that the other side is gone.
    /// </summary>
    public abstract ValueTask DisposeAsync();
}
