using System.Text.Json.Serialization;

namespace Samples.PingPong;

[JsonSerializable(typeof(RunReport))]
[JsonSerializable(typeof(ProcessUsage))]
[JsonSerializable(typeof(ReceiverReport))]
[JsonSerializable(typeof(EventStreamReport))]
internal sealed partial class RunReportContext : JsonSerializerContext;
