using System.Text.Json.Serialization;

namespace Samples.PingPong;

/// <summary>
/// The figures of a run. Only figures with a JSON name are written as JSON; the others are for people.
/// </summary>
internal sealed record RunReport
{
    [JsonPropertyName("transport")]
    public required string Transport { get; init; }

    [JsonPropertyName("rounds")]
    public required int Rounds { get; init; }

    [JsonPropertyName("lost")]
    public required int Lost { get; init; }

    [JsonPropertyName("p50_us")]
    public required double P50Microseconds { get; init; }

    [JsonIgnore]
    public double P90Microseconds { get; init; }

    [JsonPropertyName("p99_us")]
    public required double P99Microseconds { get; init; }

    [JsonIgnore]
    public double P999Microseconds { get; init; }

    [JsonIgnore]
    public double MaxMicroseconds { get; init; }

    [JsonPropertyName("per_second")]
    public required double PerSecond { get; init; }

    /// <summary>100 is one core, all the time.</summary>
    [JsonPropertyName("client_cpu_percent")]
    public required double ClientCpuPercent { get; init; }

    [JsonPropertyName("server_cpu_percent")]
    public required double ServerCpuPercent { get; init; }

    [JsonPropertyName("client_rss_mb")]
    public required double ClientRssMegabytes { get; init; }

    [JsonPropertyName("server_rss_mb")]
    public required double ServerRssMegabytes { get; init; }

    /// <summary>
    /// The doorbells that both processes rang, each a system call; null if the transport has no doorbells.
    /// </summary>
    [JsonPropertyName("doorbells_per_message")]
    public required double? DoorbellsPerMessage { get; init; }

    /// <summary>
    /// How often the two processes have written to the rings. One write may have several messages of gRPC, and it needs
    /// a doorbell only if the other side sleeps. Null if the transport has no rings.
    /// </summary>
    [JsonIgnore]
    public double? WritesPerMessage { get; init; }
}
