namespace GrpcShm.Transport.Signaling;

/// <summary>How a reactor waits when there is nothing left to do.</summary>
internal enum WaitStrategy
{
    /// <summary>Sleeps until a doorbell rings, and then looks at once.</summary>
    Sleep,

    /// <summary>
    /// Looks at its rings for a moment before it sleeps. Saves the wake-up where the peer answers at once.
    /// </summary>
    Spin,

    /// <summary>
    /// Sleeps until a doorbell rings, and then a moment longer, so that a stream comes in large batches, each with one
    /// doorbell and one chain of wake-ups. Network cards do the same with their interrupts.
    /// </summary>
    Coalesce,
}
