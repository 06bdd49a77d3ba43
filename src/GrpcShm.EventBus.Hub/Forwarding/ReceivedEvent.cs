using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Forwarding;

/// <summary>An event that came as bytes, and goes on as bytes.</summary>
internal sealed class ReceivedEvent : RoutedEvent
{
    // A message of a larger event is made for each recipient in the hub's own process, and not kept beside the bytes.
    private const int MostKept = 4096;

    private const int MostVarintBytes = 10;
    private const int SenderBytes = 1 + sizeof(ulong);
    private const int TimestampBytes = 1 + MostVarintBytes;
    private const int GroupTagBytes = 2;

    // The memory of a larger event is not used again: a few of them would fill the pool with memory that most events do
    // not need.
    private const int MostReused = 512;

    // As many as are on their way between a fast sender and a fast receiver. They take at most 1.5 MB.
    private const int MostPooled = 2048;

    private static readonly BoundedPool<ReceivedEvent> Shared = new(MostPooled);

    private readonly BoundedPool<ReceivedEvent> _pool;
    private EventTexts _texts;
    private byte[] _bytes = [];
    private int _length;

    // The maker is the first holder.
    private int _holders = 1;
    private long _timestamp;
    private ulong _sender;
    private string _group = "";
    private string? _id;
    private string? _name;
    private string? _source;
    private string? _target;
    private Event? _message;

    private int _payloadLength;
    private int _headers;
    private bool _hasStateChange;

    private ReceivedEvent(BoundedPool<ReceivedEvent> pool) => _pool = pool;

    public override string Group => _group;

    public override bool HasStateChange => _hasStateChange;

    public override ulong Sender => _sender;

    public override long Timestamp => _timestamp;

    public override int PayloadLength => _payloadLength;

    public override int Headers => _headers;

    public override int Size => _length;

    public override ReadOnlySpan<byte> Encoded => _bytes.AsSpan(0, _length);

    /// <summary>Makes an event of received bytes. They are copied.</summary>
    /// <param name="received">The encoded event.</param>
    /// <param name="group">The group that it is published to, as far as it is known.</param>
    /// <param name="event">The event.</param>
    /// <returns>
    /// <see langword="false"/> if the walker does not take them: then the generated parser has to decide.
    /// </returns>
    public static bool TryCreate(ReadOnlySpan<byte> received, string group, out ReceivedEvent? @event) =>
        TryCreate(received, group, Shared, out @event);

    /// <summary>As the other overload, with memory of a pool of the caller's.</summary>
    public static bool TryCreate(
        ReadOnlySpan<byte> received, string group, BoundedPool<ReceivedEvent> pool, out ReceivedEvent? @event)
    {
        if (!EventWalker.TryWalk(received, out var layout))
        {
            @event = null;
            return false;
        }

        var roomForGroup = group.Length == 0
            ? 0
            : GroupTagBytes + MostVarintBytes + Encoding.UTF8.GetByteCount(group);
        @event = pool.TryTake() ?? new ReceivedEvent(pool);
        @event.Fill(received, layout, roomForGroup);
        return true;
    }

    public override bool MayHaveTwoForms => _length <= MostKept;

    // Two threads may parse it at once. The messages are equal.
    public override Event ToMessage()
    {
        if (Volatile.Read(ref _message) is not { } message)
        {
            message = Event.Parser.ParseFrom(Encoded);
            if (MayHaveTwoForms)
            {
                Volatile.Write(ref _message, message);
            }
        }

        return message;
    }

    public override bool IsEmpty(EventPart part) => _texts[(int)part].Length == 0;

    public override bool IsPlain(EventPart part, int maxBytes)
    {
        var text = BytesOf(part);
        return text.Length <= maxBytes && !text.ContainsAnyExceptInRange((byte)' ', (byte)'~');
    }

    public override string Text(EventPart part)
    {
        ref var text = ref StringOf(part);
        return text ??= Encoding.UTF8.GetString(BytesOf(part));
    }

    public override bool TryDecode(EventPart part, Span<char> destination, out int length)
    {
        length = 0;
        return StringOf(part) is null
            && Utf8.ToUtf16(BytesOf(part), destination, out _, out length) == OperationStatus.Done;
    }

    public override void Remember(EventPart part, string text) => StringOf(part) ??= text;

    public override void Hold() => Interlocked.Increment(ref _holders);

    public override void Release()
    {
        // A full fence: all that the other holders did with the event comes before its memory is used again.
        if (Interlocked.Decrement(ref _holders) == 0 && _bytes.Length <= MostReused)
        {
            Clear();
            _pool.Give(this);
        }
    }

    public override void Stamp(ulong sender, long timestamp)
    {
        _sender = sender;
        if (sender != 0)
        {
            MakeRoom(SenderBytes);
            _bytes[_length++] = (byte)EventWalker.Sender;
            BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(_length), sender);
            _length += sizeof(ulong);
        }

        if (_timestamp == 0 && timestamp != 0)
        {
            MakeRoom(TimestampBytes);
            _timestamp = timestamp;
            _bytes[_length++] = (byte)EventWalker.Timestamp;
            AppendVarint((ulong)timestamp);
        }
    }

    public override void PutGroup(string group)
    {
        _group = group;
        if (group.Length == 0)
        {
            return;
        }

        var bytes = Encoding.UTF8.GetByteCount(group);
        MakeRoom(GroupTagBytes + MostVarintBytes + bytes);
        AppendVarint(EventWalker.Group);
        AppendVarint((ulong)bytes);
        _length += Encoding.UTF8.GetBytes(group, _bytes.AsSpan(_length));
    }

    private void Fill(ReadOnlySpan<byte> received, in EventLayout layout, int roomForGroup)
    {
        _texts = layout.Texts;
        (_payloadLength, _headers, _hasStateChange) = (layout.PayloadLength, layout.Headers, layout.HasStateChange);
        (_timestamp, _sender) = (layout.Timestamp, layout.Sender);

        // The hub's number stands in for the client's, and its time for none.
        var room = roomForGroup + (_sender == 0 ? 0 : SenderBytes) + (_timestamp == 0 ? TimestampBytes : 0);
        var length = received.Length - layout.LeftOut + room;
        if (_bytes.Length < length)
        {
            _bytes = GC.AllocateUninitializedArray<byte>(length);
        }

        var (first, second) = (layout.LeftOutFirst, layout.LeftOutSecond);
        if (first.Length == 0)
        {
            Append(received);
            return;
        }

        Append(received[..first.Start]);
        if (second.Length == 0)
        {
            Append(received[first.End..]);
            return;
        }

        Append(received[first.End..second.Start]);
        Append(received[second.End..]);
    }

    // For the next event. The one who takes it out of the pool is its first holder.
    private void Clear()
    {
        (_id, _name, _source, _target, _message) = (null, null, null, null, null);
        (_length, _group, _holders) = (0, "", 1);
        IsPublished = false;
    }

    private ReadOnlySpan<byte> BytesOf(EventPart part) =>
        _bytes.AsSpan(_texts[(int)part].Start, _texts[(int)part].Length);

    private ref string? StringOf(EventPart part)
    {
        switch (part)
        {
            case EventPart.Id:
                return ref _id;
            case EventPart.Name:
                return ref _name;
            case EventPart.Source:
                return ref _source;
            case EventPart.Target:
                return ref _target;
            default:
                throw new ArgumentOutOfRangeException(nameof(part), part, "An event has no such text.");
        }
    }

    private void MakeRoom(int bytes)
    {
        if (_bytes.Length - _length < bytes)
        {
            Array.Resize(ref _bytes, _length + bytes);
        }
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    private void AppendVarint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _bytes[_length++] = (byte)(value | 0x80);
        }

        _bytes[_length++] = (byte)value;
    }
}
