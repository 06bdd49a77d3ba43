using System.Text.Json.Serialization;

namespace Samples.WaferFab.Messages;

/// <summary>Writes the messages as JSON, with code that is generated at compile time.</summary>
[JsonSerializable(typeof(StepCommand))]
[JsonSerializable(typeof(ToolReady))]
[JsonSerializable(typeof(Reading))]
[JsonSerializable(typeof(StepDone))]
internal sealed partial class MessageContext : JsonSerializerContext;
