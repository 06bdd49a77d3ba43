using System.Text.Json.Serialization;

namespace Samples.WaferFab;

[JsonSerializable(typeof(FabReport))]
internal sealed partial class FabReportContext : JsonSerializerContext;
