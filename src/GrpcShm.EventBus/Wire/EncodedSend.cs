namespace GrpcShm.EventBus.Wire;

/// <summary>An event that a program sends, encoded. A large payload is not copied, but referred to.</summary>
/// <param name="fields">All fields, but for the payload's bytes if they stand elsewhere.</param>
/// <param name="headLength">How many bytes of them stand before the payload.</param>
/// <param name="payload">The payload's bytes, which nobody changes; empty if they are among the fields.</param>
internal readonly struct EncodedSend(byte[] fields, int headLength, ReadOnlyMemory<byte> payload)
{
    /// <summary>The bytes before the payload, or all of them.</summary>
    public ReadOnlySpan<byte> Head => fields.AsSpan(0, headLength);

    /// <summary>The payload's bytes; empty if they are in the head.</summary>
    public ReadOnlyMemory<byte> Payload => payload;

    /// <summary>The bytes behind the payload.</summary>
    public ReadOnlySpan<byte> Tail => fields.AsSpan(headLength);

    /// <summary>How many bytes the event has.</summary>
    public int Length => checked(fields.Length + payload.Length);
}
