using GrpcShm.EventBus.Client;

namespace GrpcShm.EventBus.Lanes;

/// <summary>
/// Keeps a command, and all commands behind it, in the queue to the hub, until events that were sent before it over
/// lanes are answered. The lock of the queue guards it.
/// </summary>
internal sealed class QueueBarrier
{
    /// <summary>How many routes have events that are not answered yet.</summary>
    public int OpenRoutes { get; set; }

    /// <summary>
    /// The events of these routes that the hub gets after all, in order. They go in front of the command.
    /// </summary>
    public List<PendingCommand> Before { get; } = [];
}
