namespace GrpcShm.EventBus.Client;

/// <summary>The session that a client has right now, for senders that have put a command into the queue.</summary>
/// <remarks>
/// Only the client's link writes it; senders read it without a lock. A sender that still reads the session before, or
/// none, wakes no writer that could write its command: the next session's writer finds it in the queue.
/// </remarks>
internal sealed class CurrentSession
{
    private SessionLink? _link;

    /// <summary>The session, or none. It may have ended.</summary>
    public SessionLink? Link
    {
        get => Volatile.Read(ref _link);
        set => Volatile.Write(ref _link, value);
    }

    /// <summary>Wakes the session's writer after a command was put into the queue.</summary>
    public void Wake() => Link?.Wake();
}
