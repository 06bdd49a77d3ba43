namespace GrpcShm.Transport;

/// <summary>
/// Where runs what a received frame of direct mode leads to: a handler on a server, a continuation on a client.
/// </summary>
public enum RunMode
{
    /// <summary>
    /// Short work on the thread that took the frame off the ring, which saves a hop to another thread; long or blocking
    /// work, by its measured time, on the thread pool.
    /// </summary>
    Adaptive,

    /// <summary>Always on the thread that took the frame off the ring.</summary>
    Inline,

    /// <summary>Always on the thread pool.</summary>
    ThreadPool,
}
