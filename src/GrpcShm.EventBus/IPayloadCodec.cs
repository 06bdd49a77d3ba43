using System.Diagnostics.CodeAnalysis;

namespace GrpcShm.EventBus;

/// <summary>Turns payloads of some types into bytes and back. Called by many threads at once.</summary>
public interface IPayloadCodec
{
    /// <summary>Encodes a payload, if this codec knows its type.</summary>
    /// <param name="payload">The payload.</param>
    /// <param name="encoded">The payload as it travels.</param>
    /// <returns>True if this codec knows the type.</returns>
    bool TryEncode(object payload, out EncodedPayload encoded);

    /// <summary>Decodes a payload, if this codec knows its type.</summary>
    /// <param name="encoded">The payload as it travelled.</param>
    /// <param name="wanted">
    /// The type that the receiver asks for, or <see langword="null"/> if it takes any type that the codec chooses.
    /// Never load a type by the name that the payload carries.
    /// </param>
    /// <param name="payload">The payload.</param>
    /// <returns>True if this codec knows the type.</returns>
    bool TryDecode(in EncodedPayload encoded, Type? wanted, [NotNullWhen(true)] out object? payload);
}
