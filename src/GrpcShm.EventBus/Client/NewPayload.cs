using Google.Protobuf;

namespace GrpcShm.EventBus.Client;

/// <summary>The payload of an event that a program sends.</summary>
/// <param name="Data">Its bytes.</param>
/// <param name="ContentType">What they are.</param>
/// <param name="TypeName">The type that they were encoded from; may be empty.</param>
/// <param name="IsBorrowed">
/// True if the program may change the bytes as soon as the send returns. Then they have to be copied before.
/// </param>
internal readonly record struct NewPayload(
    ReadOnlyMemory<byte> Data, string ContentType, string TypeName, bool IsBorrowed)
{
    /// <summary>No payload.</summary>
    public static NewPayload None => new(default, "", "", IsBorrowed: false);

    /// <summary>Makes a payload of one that a codec has encoded.</summary>
    /// <exception cref="ArgumentNullException">A part of the payload is <see langword="null"/>.</exception>
    public static NewPayload Of(in EncodedPayload encoded)
    {
        ArgumentNullException.ThrowIfNull(encoded.Data);
        ArgumentNullException.ThrowIfNull(encoded.ContentType);
        ArgumentNullException.ThrowIfNull(encoded.TypeName);
        return new NewPayload(encoded.Data.Memory, encoded.ContentType, encoded.TypeName, IsBorrowed: false);
    }

    /// <summary>The payload with bytes that nobody changes: itself or a copy.</summary>
    public NewPayload ToOwned() => IsBorrowed ? this with { Data = Data.ToArray(), IsBorrowed = false } : this;

    /// <summary>Its bytes for a message. Nobody changes them.</summary>
    public ByteString ToByteString() =>
        IsBorrowed ? ByteString.CopyFrom(Data.Span) : UnsafeByteOperations.UnsafeWrap(Data);
}
