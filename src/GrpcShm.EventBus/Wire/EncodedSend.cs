namespace GrpcShm.EventBus.Wire;

/// <summary>An event that a program sends, encoded. A large payload is not copied, but referred to.</summary>
/// <param name="memory">Has all fields at its beginning, but for the payload's bytes if they stand elsewhere.</param>
/// <param name="length">How many bytes these fields have.</param>
/// <param name="headLength">How many bytes of them stand before the payload.</param>
/// <param name="payload">The payload's bytes, which nobody changes; empty if they are among the fields.</param>
internal readonly struct EncodedSend(byte[] memory, int length, int headLength, ReadOnlyMemory<byte> payload)
{
    /// <summary>The memory of the fields, which another event may get once nobody needs this one.</summary>
    public byte[] Memory => memory;

    /// <summary>The bytes before the payload, or all of them.</summary>
    public ReadOnlySpan<byte> Head => memory.AsSpan(0, headLength);

    /// <summary>The payload's bytes; empty if they are in the head.</summary>
    public ReadOnlyMemory<byte> Payload => payload;

    /// <summary>The bytes behind the payload.</summary>
    public ReadOnlySpan<byte> Tail => memory.AsSpan(headLength, length - headLength);

    /// <summary>How many bytes the event has.</summary>
    public int Length => checked(length + payload.Length);
}
