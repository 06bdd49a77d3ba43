using System.IO.Pipelines;

namespace GrpcShm.EventBus;

/// <summary>A connection of two processes, which carries bytes in both directions, in order.</summary>
/// <remarks>
/// When one side disposes of it, the other side reads what was flushed before, and then the end. One thread at a time
/// reads, and one writes. The client completes both ends, when it uses neither of them any more, and disposes of the
/// connection then. To end a read or a flush that waits it cancels it. What is read may lie in memory that the other
/// process can still change: the client copies it before it looks at it.
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

    /// <summary>Completes both ends and closes the connection. Nobody may use either end any more.</summary>
    internal async ValueTask CloseAsync()
    {
        try
        {
            // In this order: the other side reads a clean end.
            Output.Complete();
            Input.Complete();
        }
        finally
        {
            await DisposeAsync().ConfigureAwait(false);
        }
    }
}
