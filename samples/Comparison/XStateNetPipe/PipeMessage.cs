using System.Text.Json;

namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>A client's line.</summary>
/// <param name="Type">The kind of request.</param>
/// <param name="Payload">For <c>Register</c> a <see cref="PipeRegistration"/>, for <c>SendEvent</c> a <see
/// cref="PipeEvent"/>, otherwise a machine's id.</param>
internal sealed record PipeMessage(PipeMessageType Type, JsonElement Payload);
