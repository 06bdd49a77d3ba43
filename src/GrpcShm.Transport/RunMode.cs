namespace GrpcShm.Transport;

/// <summary>
/// Says on which thread a handler (on a server) or a continuation (on a client) runs when a frame of direct mode has
/// been received.
/// </summary>
public enum RunMode
{
    /// <summary>
    /// Short work runs on the thread that took the frame off the ring, which saves a hop to another thread. Work that
    /// is long or blocks, by its measured time, runs on the thread pool.
    /// </summary>
    Adaptive,

    /// <summary>Always on the thread that took the frame off the ring.</summary>
    Inline,

    /// <summary>Always on the thread pool.</summary>
    ThreadPool,
}
