using System.Text.Json.Serialization;

namespace Samples.Stress;

/// <summary>The resources of one process: at the first look, at the last look, and at most.</summary>
internal sealed record MemberReport
{
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    [JsonPropertyName("lives")]
    public required int Lives { get; init; }

    [JsonPropertyName("memory_first_mb")]
    public required double FirstMegabytes { get; init; }

    [JsonPropertyName("memory_last_mb")]
    public required double LastMegabytes { get; init; }

    [JsonPropertyName("memory_max_mb")]
    public required double MostMegabytes { get; init; }

    [JsonPropertyName("descriptors_first")]
    public required int FirstDescriptors { get; init; }

    [JsonPropertyName("descriptors_last")]
    public required int LastDescriptors { get; init; }

    [JsonPropertyName("descriptors_max")]
    public required int MostDescriptors { get; init; }

    [JsonPropertyName("threads_first")]
    public required int FirstThreads { get; init; }

    [JsonPropertyName("threads_last")]
    public required int LastThreads { get; init; }

    [JsonPropertyName("threads_max")]
    public required int MostThreads { get; init; }
}
