using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Mailboxes;

/// <summary>
/// An event in a mailbox, its encoded size in bytes, who waits for its acknowledgement, and when it was accepted (zero if
/// nobody measures).
/// </summary>
internal readonly record struct MailItem(Event Event, int Size, PendingAcknowledgement? Pending, long Accepted = 0);
