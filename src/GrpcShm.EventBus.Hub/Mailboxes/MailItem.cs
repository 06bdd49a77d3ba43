using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Mailboxes;

/// <summary>
/// An event in a mailbox, with its encoded size in bytes, the sender that waits for its acknowledgement, and the time
/// when it was accepted (zero if nobody measures).
/// </summary>
internal readonly record struct MailItem(
    RoutedEvent Event, int Size, PendingAcknowledgement? Pending, long Accepted = 0)
{
    // About how much memory an event and a header take beside their bytes, once it is decoded.
    private const int EventOverhead = 512;
    private const int HeaderOverhead = 128;

    /// <summary>
    /// About how many bytes of memory it takes at most: decoded texts have two bytes for each character.
    /// </summary>
    public long Weight =>
        EventOverhead
        + (Event.MayHaveTwoForms ? 2L * Size : Size)
        + (Size - Event.PayloadLength)
        + ((long)HeaderOverhead * Event.Headers);
}
