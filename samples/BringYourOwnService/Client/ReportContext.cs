using System.Text.Json.Serialization;

namespace Samples.BringYourOwnService.Client;

[JsonSerializable(typeof(Report))]
internal sealed partial class ReportContext : JsonSerializerContext;
