using System.Text.Json.Serialization;

namespace Samples.WaferFab.Messages;

/// <summary>How the messages are written as JSON, made when the program is compiled.</summary>
[JsonSerializable(typeof(StepCommand))]
[JsonSerializable(typeof(ToolReady))]
[JsonSerializable(typeof(Reading))]
[JsonSerializable(typeof(StepDone))]
internal sealed partial class MessageContext : JsonSerializerContext;
