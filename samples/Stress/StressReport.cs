using System.Text.Json.Serialization;

namespace Samples.Stress;

/// <summary>The result of a run.</summary>
internal sealed record StressReport
{
    [JsonPropertyName("transport")]
    public required string Transport { get; init; }

    [JsonPropertyName("producers")]
    public required int Producers { get; init; }

    [JsonPropertyName("consumers")]
    public required int Consumers { get; init; }

    [JsonPropertyName("seconds")]
    public required double Seconds { get; init; }

    [JsonPropertyName("seed")]
    public required int Seed { get; init; }

    [JsonPropertyName("processed")]
    public required long Processed { get; init; }

    [JsonPropertyName("processed_per_s")]
    public required double ProcessedPerSecond { get; init; }

    [JsonPropertyName("over_lanes")]
    public required long OverLanes { get; init; }

    [JsonPropertyName("sent_again")]
    public required long SentAgain { get; init; }

    [JsonPropertyName("failed_sends")]
    public required long FailedSends { get; init; }

    [JsonPropertyName("duplicates_dropped")]
    public required long Duplicates { get; init; }

    [JsonPropertyName("refused_out_of_order")]
    public required long Refused { get; init; }

    [JsonPropertyName("lost")]
    public required long Lost { get; init; }

    [JsonPropertyName("corrupt")]
    public required long Corrupt { get; init; }

    [JsonPropertyName("hung")]
    public required long Hung { get; init; }

    [JsonPropertyName("kills")]
    public required int Kills { get; init; }

    [JsonPropertyName("kills_of_hub")]
    public required int KillsOfHub { get; init; }

    [JsonPropertyName("kills_of_producers")]
    public required int KillsOfProducers { get; init; }

    [JsonPropertyName("kills_of_consumers")]
    public required int KillsOfConsumers { get; init; }

    [JsonPropertyName("processes")]
    public required IReadOnlyList<MemberReport> Processes { get; init; }

    /// <summary>The errors, a sentence each.</summary>
    [JsonPropertyName("problems")]
    public required IReadOnlyList<string> Problems { get; init; }

    [JsonPropertyName("ok")]
    public bool IsOk => Problems.Count == 0;
}
