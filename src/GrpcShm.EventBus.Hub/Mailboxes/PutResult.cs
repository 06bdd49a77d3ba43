namespace GrpcShm.EventBus.Mailboxes;

/// <summary>The result of putting an event into a mailbox.</summary>
internal enum PutResult
{
    /// <summary>It holds the event.</summary>
    Accepted,

    /// <summary>It is full, and the event or an older one was dropped by its policy.</summary>
    Dropped,

    /// <summary>It is full and refuses the event.</summary>
    Full,

    /// <summary>It is full and the sender must wait.</summary>
    Blocked,

    /// <summary>Its subscription has ended.</summary>
    Closed,
}
