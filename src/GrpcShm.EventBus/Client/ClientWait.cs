using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Client;

/// <summary>A machine's handler of this client that waits for another machine.</summary>
/// <remarks>
/// <see cref="IsTold"/> is guarded by the lock of its owner. <see cref="IsAnswered"/> is set by whoever hears the hub's
/// answer: if the end of the wait comes at the same time and does not see it, the hub is told of an end that it knows,
/// which it ignores.
/// </remarks>
internal sealed class ClientWait(ClientWaits owner, BusEvent handled, string waiting, string awaited, ulong number)
    : MachineWait(waiting, awaited)
{
    private LocalSend? _send;
    private EventBusException? _refused;
    private bool _isOver;

    /// <summary>What the hub knows it by, once it does.</summary>
    public ulong Number { get; } = number;

    /// <summary>The event whose handler waits.</summary>
    public BusEvent Handled { get; } = handled;

    /// <summary>The send that it waits for, if that stays in this process and has been made.</summary>
    public LocalSend? Send
    {
        get => Volatile.Read(ref _send);
        set
        {
            // Set before Refused is read here, read after Refused is set there: one of the two sees the other.
            Volatile.Write(ref _send, value);
            Interlocked.MemoryBarrier();
        }
    }

    /// <summary>Why the hub refused it, if it did: it closes a circle over several processes.</summary>
    public EventBusException? Refused
    {
        get => Volatile.Read(ref _refused);
        set
        {
            Volatile.Write(ref _refused, value);
            Interlocked.MemoryBarrier();
        }
    }

    /// <summary>Whether the hub was told of it, or will be by a command that has its place in the queue.</summary>
    public bool IsTold { get; set; }

    /// <summary>Whether the hub knows by itself that it is over: it answered the send, or refused the wait.</summary>
    public bool IsAnswered { get; set; }

    public override bool IsOver => Volatile.Read(ref _isOver);

    /// <summary>Notes that the handler does not wait any more. May be called more than once.</summary>
    public void End() => owner.End(this);

    public void SetOver() => Volatile.Write(ref _isOver, true);
}
