namespace GrpcShm.Transport.Calls;

/// <summary>How long a peer may let calls wait.</summary>
internal sealed record CallTimeLimits
{
    /// <summary>
    /// How often the heartbeat comes. What is timed may have begun just before one, so each limit is this much longer.
    /// </summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a block of headers or trailers may take to be whole, once it has begun; null for ever.
    /// </summary>
    public TimeSpan? Block { get; init; }

    /// <summary>How fast the data has to come that a reader waits for; null for no limit.</summary>
    public DataRate? Received { get; init; }

    /// <summary>How fast the data has to be taken that is sent; null for no limit.</summary>
    public DataRate? Sent { get; init; }
}
