using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Mailboxes;

/// <summary>
/// An event in a mailbox, its encoded size in bytes, who waits for its acknowledgement, and when it was accepted (zero
/// if nobody measures).
/// </summary>
internal readonly record struct MailItem(Event Event, int Size, PendingAcknowledgement? Pending, long Accepted = 0)
{
    // Roughly what an event and a header take in memory beside their bytes.
    private const int EventOverhead = 512;
    private const int HeaderOverhead = 128;

    /// <summary>The bytes that it takes in memory, roughly: texts have two for each character.</summary>
    public long Weight =>
        EventOverhead + Size + (Size - Event.Payload.Length) + ((long)HeaderOverhead * Event.Headers.Count);
}
