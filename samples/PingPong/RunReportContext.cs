using System.Text.Json.Serialization;

namespace Samples.PingPong;

[JsonSerializable(typeof(RunReport))]
[JsonSerializable(typeof(ProcessUsage))]
internal sealed partial class RunReportContext : JsonSerializerContext;
