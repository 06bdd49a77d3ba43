using Google.Protobuf;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Forwarding;

/// <summary>
/// An event of which the hub has the message: one of the hub's own process, of a single call, or one that the walker
/// left to the generated parser. It is encoded once, if any recipient is in another process.
/// </summary>
internal sealed class MessageEvent : RoutedEvent
{
    private readonly Event _message;
    private byte[]? _encoded;

    /// <param name="message">The message, which the hub may change from here on.</param>
    public MessageEvent(Event message)
    {
        _message = message;

        // Only the hub sets it.
        message.Group = "";
    }

    public override string Group => _message.Group;

    public override bool HasStateChange => _message.StateChange is not null;

    public override bool HasMachineChange => _message.MachineChange is not null;

    public override ulong Sender => _message.Sender;

    public override long Timestamp => _message.Timestamp;

    public override int PayloadLength => _message.Payload.Length;

    public override int Headers => _message.Headers.Count;

    public override int Size => Volatile.Read(ref _encoded)?.Length ?? _message.CalculateSize();

    // Two threads may encode it at once. All of them see the same bytes.
    public override ReadOnlySpan<byte> Encoded
    {
        get
        {
            if (Volatile.Read(ref _encoded) is not { } encoded)
            {
                encoded = _message.ToByteArray();
                encoded = Interlocked.CompareExchange(ref _encoded, encoded, null) ?? encoded;
            }

            return encoded;
        }
    }

    // Its bytes, once a recipient in another process has taken it.
    public override bool MayHaveTwoForms => true;

    public override Event ToMessage() => _message;

    public override bool IsEmpty(EventPart part) => Text(part).Length == 0;

    public override string Text(EventPart part) => part switch
    {
        EventPart.Id => _message.Id,
        EventPart.Name => _message.Name,
        EventPart.Source => _message.Source,
        EventPart.Target => _message.Target,
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "An event has no such text."),
    };

    public override void Stamp(ulong sender, long timestamp)
    {
        _message.Sender = sender;
        if (_message.Timestamp == 0)
        {
            _message.Timestamp = timestamp;
        }
    }

    public override void PutGroup(string group) => _message.Group = group;

    public override void DropMachineChange() => _message.MachineChange = null;
}
