namespace Samples.PingPong;

/// <summary>The figures of a stream's receiver since the last report.</summary>
internal sealed record ReceiverReport
{
    public required long Received { get; init; }

    public required long OutOfOrder { get; init; }

    /// <summary>The time from the first event's send to this report.</summary>
    public required double Seconds { get; init; }

    public required double P50Microseconds { get; init; }

    public required double P99Microseconds { get; init; }
}
