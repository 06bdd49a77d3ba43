using System.Text.Json;

namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>A client's line.</summary>
/// <param name="Type">What is asked.</param>
/// <param name="Payload">Of <c>Register</c> a <see cref="PipeRegistration"/>, of <c>SendEvent</c> a
/// <see cref="PipeEvent"/>, else a machine's id.</param>
internal sealed record PipeMessage(PipeMessageType Type, JsonElement Payload);
