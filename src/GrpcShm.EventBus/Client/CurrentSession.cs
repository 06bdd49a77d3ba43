namespace GrpcShm.EventBus.Client;

/// <summary>The session that a client has right now, for everybody who has put a command into the queue.</summary>
/// <remarks>
/// The client's link alone writes it; whoever sends reads it, without a lock. A sender that still reads the session
/// before, or none, wakes nobody who could write its command: the next session's writer finds it in the queue.
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

    /// <summary>Wakes the session's writer, after something was put into the queue.</summary>
    public void Wake() => Link?.Wake();
}
