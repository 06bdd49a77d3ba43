using System.Text.Json.Serialization;

namespace Samples.PingPong;

/// <summary>The figures of a stream.</summary>
internal sealed record EventStreamReport
{
    [JsonPropertyName("transport")]
    public required string Transport { get; init; }

    [JsonPropertyName("events")]
    public required int Events { get; init; }

    [JsonPropertyName("missing")]
    public required long Missing { get; init; }

    [JsonPropertyName("out_of_order")]
    public required long OutOfOrder { get; init; }

    [JsonPropertyName("per_second")]
    public required double PerSecond { get; init; }

    /// <summary>The time from the send to the handler, at 1,000 events per second.</summary>
    [JsonPropertyName("steady_p50_us")]
    public required double SteadyP50Microseconds { get; init; }

    [JsonPropertyName("steady_p99_us")]
    public required double SteadyP99Microseconds { get; init; }

    /// <summary>
    /// The CPU of the hub's process while the events came as fast as possible, by its own clock; 100 is one core all
    /// the time.
    /// </summary>
    [JsonPropertyName("hub_cpu_percent")]
    public required double HubCpuPercent { get; init; }
}
