using System.Text.Json.Serialization;

namespace Samples.Stress;

/// <summary>Writes reports as JSON.</summary>
[JsonSerializable(typeof(StressReport))]
internal sealed partial class StressReportContext : JsonSerializerContext;
