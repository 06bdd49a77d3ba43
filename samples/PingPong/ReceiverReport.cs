namespace Samples.PingPong;

/// <summary>What the receiver of a stream saw since it was last asked.</summary>
internal sealed record ReceiverReport
{
    public required long Received { get; init; }

    public required long OutOfOrder { get; init; }

    /// <summary>From the first event's send to this report.</summary>
    public required double Seconds { get; init; }

    public required double P50Microseconds { get; init; }

    public required double P99Microseconds { get; init; }
}
