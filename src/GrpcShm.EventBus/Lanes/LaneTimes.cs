namespace GrpcShm.EventBus.Lanes;

/// <summary>When a client asks for routes, and when it gives them up. All times are in milliseconds.</summary>
internal sealed record LaneTimes
{
    /// <summary>After how many sends of one machine to another the client asks for a route.</summary>
    public int AskAfterSends { get; init; } = 32;

    /// <summary>Within which time so many sends count.</summary>
    public long AskWithin { get; init; } = 1_000;

    /// <summary>How long the client does not ask again after a route that ended or was refused.</summary>
    public long AskAgainAfter { get; init; } = 10_000;

    /// <summary>
    /// How long events wait for their route while none of them goes on. Then the hub gets them, and judges them.
    /// </summary>
    public long LongestHold { get; init; } = 250;

    /// <summary>
    /// How long the other side may take to answer any event of a route, or all events of one that ends. Then the lane
    /// ends.
    /// </summary>
    public long LongestDrain { get; init; } = 5_000;

    /// <summary>After how long without events a lane ends.</summary>
    public long Idle { get; init; } = 60_000;

    /// <summary>How long the two sides may take to make each other's acquaintance, or to take leave.</summary>
    public long Greeting { get; init; } = 5_000;

    /// <summary>How long the client does not accept connections after it could not accept one.</summary>
    public long AcceptAgainAfter { get; init; } = 500;
}
