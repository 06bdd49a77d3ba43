using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Mailboxes;

/// <summary>An event in a mailbox, its encoded size in bytes, and who waits for its acknowledgement.</summary>
internal readonly record struct MailItem(Event Event, int Size, PendingAcknowledgement? Pending);
