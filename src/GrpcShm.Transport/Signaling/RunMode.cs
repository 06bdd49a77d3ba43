namespace GrpcShm.Transport.Signaling;

/// <summary>Where the work that a frame leads to runs.</summary>
internal enum RunMode
{
    /// <summary>Where it has proved to be better; see <see cref="RunProfile"/>.</summary>
    Adaptive,

    /// <summary>Always on the thread that took the frame off the ring.</summary>
    Inline,

    /// <summary>Always on the thread pool.</summary>
    ThreadPool,
}
