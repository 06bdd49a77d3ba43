using Google.Protobuf;

namespace GrpcShm.EventBus.Routing;

/// <summary>
/// Takes large messages of a session apart, and puts the parts of such a message together. So an event may be larger
/// than a message that gRPC or the transport takes. Their limits are settings of the channel and of the server: neither
/// side knows those of the other.
/// </summary>
/// <remarks>Only the thread that reads from the session puts parts together.</remarks>
internal sealed class MessageParts
{
    // Small enough for a channel or a server whose limit is lower than gRPC's own.
    private const int PartSize = 1024 * 1024;

    private MemoryStream? _bytes;

    /// <summary>True if a message is so large that it should be sent in parts.</summary>
    /// <param name="message">The message.</param>
    /// <param name="bytes">
    /// How many bytes its events have, about. They are known already; only large messages are worth a closer look.
    /// </param>
    public static bool IsNeeded(IMessage message, int bytes) =>
        bytes > MessageSize.UsualLimit / 2 && message.CalculateSize() > MessageSize.UsualLimit;

    /// <summary>Takes a message apart.</summary>
    public static IEnumerable<(ByteString Part, bool IsFollowed)> Split(IMessage message)
    {
        var bytes = message.ToByteArray();
        for (var start = 0; start < bytes.Length; start += PartSize)
        {
            var length = Math.Min(PartSize, bytes.Length - start);
            var part = UnsafeByteOperations.UnsafeWrap(bytes.AsMemory(start, length));
            yield return (part, start + length < bytes.Length);
        }
    }

    /// <summary>Adds a part of a message of the peer.</summary>
    /// <param name="part">The part.</param>
    /// <param name="isFollowed">Whether another part comes.</param>
    /// <param name="most">The most bytes that the message may have.</param>
    /// <param name="whole">The encoded message, if this was its last part. Valid until the next part.</param>
    /// <returns>False if the message is too large.</returns>
    public bool TryAdd(ByteString part, bool isFollowed, long most, out ReadOnlyMemory<byte>? whole)
    {
        whole = null;
        _bytes ??= new MemoryStream();
        if (_bytes.Length + part.Length > most)
        {
            _bytes = null;
            return false;
        }

        part.WriteTo(_bytes);
        if (!isFollowed)
        {
            whole = _bytes.GetBuffer().AsMemory(0, (int)_bytes.Length);
            _bytes = null;
        }

        return true;
    }
}
