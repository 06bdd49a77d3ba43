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

    /// <summary>True if a message is large enough for a closer look at its size.</summary>
    /// <param name="bytes">How many bytes its events have, about.</param>
    public static bool MayBeNeeded(int bytes) => bytes > MessageSize.UsualLimit / 2;

    /// <summary>Takes an encoded message apart. Its bytes must not change any more.</summary>
    public static IEnumerable<(ByteString Part, bool IsFollowed)> Split(ReadOnlyMemory<byte> bytes)
    {
        for (var start = 0; start < bytes.Length; start += PartSize)
        {
            var length = Math.Min(PartSize, bytes.Length - start);
            var part = UnsafeByteOperations.UnsafeWrap(bytes.Slice(start, length));
            yield return (part, start + length < bytes.Length);
        }
    }

    /// <summary>True if parts of a message have come, and its last part has not.</summary>
    public bool HasBegun => _bytes is not null;

    /// <summary>Checks that the peer keeps the rules for messages in parts.</summary>
    /// <param name="part">The part; empty in a message that has none.</param>
    /// <param name="isFollowed">Whether the message says that another part comes.</param>
    /// <param name="isAlone">Whether the message has nothing beside the part.</param>
    /// <returns>The rule that the message breaks, in words; none if it breaks none.</returns>
    public string? FindBrokenRule(ByteString part, bool isFollowed, bool isAlone) => (part.IsEmpty, isFollowed) switch
    {
        (true, true) => "an empty part said that another part follows",
        (true, false) => HasBegun ? "a message without a part came between the parts of another message" : null,
        _ => isAlone ? null : "a part came together with other content",
    };

    /// <summary>Checks the size of the message of which a part has come.</summary>
    /// <param name="part">The part.</param>
    /// <param name="most">The most bytes that the message may have.</param>
    public bool Fits(ByteString part, long most) => (_bytes?.Length ?? 0) + part.Length <= most;

    /// <summary>
    /// Says how many bytes of memory the parts take once one more is added. The memory is doubled where it is too
    /// small: otherwise each part would have all parts before it copied.
    /// </summary>
    /// <param name="part">The part, which fits.</param>
    /// <param name="most">The most bytes that the message may have.</param>
    public int MemoryWith(ByteString part, long most)
    {
        var (length, memory) = _bytes is null ? (0L, 0) : (_bytes.Length, _bytes.Capacity);
        var needed = length + part.Length;
        return needed <= memory ? memory : (int)Math.Max(needed, Math.Min(2L * memory, most));
    }

    /// <summary>Adds a part of a message of the peer.</summary>
    /// <param name="part">The part, which fits.</param>
    /// <param name="most">The most bytes that the message may have.</param>
    public void Add(ByteString part, long most)
    {
        var memory = MemoryWith(part, most);
        _bytes ??= new MemoryStream(memory);
        _bytes.Capacity = memory;
        part.WriteTo(_bytes);
    }

    /// <summary>Takes the encoded message out: its last part has been added.</summary>
    public ReadOnlyMemory<byte> TakeWhole()
    {
        var whole = _bytes!.GetBuffer().AsMemory(0, (int)_bytes.Length);
        _bytes = null;
        return whole;
    }

    /// <summary>Forgets the parts that have come.</summary>
    public void Clear() => _bytes = null;
}
