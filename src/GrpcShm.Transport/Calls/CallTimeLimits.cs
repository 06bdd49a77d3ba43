namespace GrpcShm.Transport.Calls;

/// <summary>How long a peer may let calls wait.</summary>
internal sealed record CallTimeLimits
{
    /// <summary>
    /// How often the heartbeat comes. A wait may have begun just before a heartbeat, so each limit is this much longer.
    /// </summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a block of headers or trailers may take to be complete, once it has begun; null for ever.
    /// </summary>
    public TimeSpan? Block { get; init; }

    /// <summary>How fast data has to come while a reader waits for it; null for no limit.</summary>
    public DataRate? Received { get; init; }

    /// <summary>How fast the peer has to take data that is sent; null for no limit.</summary>
    public DataRate? Sent { get; init; }
}
