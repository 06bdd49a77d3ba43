using System.Text.Json.Serialization;

namespace Samples.BringYourOwnService.Client;

/// <summary>The result of a run.</summary>
internal sealed record Report(
    [property: JsonPropertyName("transport")] string Transport,
    [property: JsonIgnore] IReadOnlyList<Check> Checks,
    [property: JsonPropertyName("p50_us")] double MedianMicroseconds,
    [property: JsonPropertyName("p50_tcp_beside_us")] double? MedianMicrosecondsBeside)
{
    [JsonPropertyName("checks")]
    public int Count => Checks.Count;

    [JsonPropertyName("failed")]
    public int Failed => Checks.Count(check => !check.IsPassed);
}
