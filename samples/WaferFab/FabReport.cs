using System.Text.Json.Serialization;

namespace Samples.WaferFab;

/// <summary>The result of a run.</summary>
internal sealed record FabReport
{
    [JsonPropertyName("transport")]
    public required string Transport { get; init; }

    [JsonPropertyName("wafers")]
    public required int Wafers { get; init; }

    [JsonPropertyName("finished")]
    public required int Finished { get; init; }

    [JsonPropertyName("steps")]
    public required int Steps { get; init; }

    /// <summary>The number of events that the hub has accepted.</summary>
    [JsonPropertyName("events")]
    public required long Events { get; init; }

    [JsonPropertyName("events_per_second")]
    public required double EventsPerSecond { get; init; }

    [JsonPropertyName("seconds")]
    public required double Seconds { get; init; }

    /// <summary>The tool that was killed.</summary>
    [JsonPropertyName("killed")]
    public required string? Killed { get; init; }

    [JsonPropertyName("noticed_ms")]
    public required double? NoticedMilliseconds { get; init; }

    [JsonPropertyName("away_ms")]
    public required double? AwayMilliseconds { get; init; }

    [JsonPropertyName("steps_meanwhile")]
    public required int? StepsMeanwhile { get; init; }

    /// <summary>Events and steps that were lost, doubled, or out of order.</summary>
    [JsonPropertyName("problems")]
    public required IReadOnlyList<string> Problems { get; init; }

    [JsonPropertyName("ok")]
    public bool IsOk => Problems.Count == 0 && Finished == Wafers;
}
