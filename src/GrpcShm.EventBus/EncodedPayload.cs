using Google.Protobuf;

namespace GrpcShm.EventBus;

/// <summary>A payload as it travels.</summary>
/// <param name="Data">The bytes.</param>
/// <param name="ContentType">The media type of the bytes; empty for none.</param>
/// <param name="TypeName">The name of the payload's type in the sender's own terms: a hint. May be empty.</param>
public readonly record struct EncodedPayload(ByteString Data, string ContentType, string TypeName);
