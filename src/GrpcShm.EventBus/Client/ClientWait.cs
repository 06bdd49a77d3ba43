using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Client;

/// <summary>Says that a handler of one of this client's machines waits for another machine.</summary>
/// <remarks>
/// The lock of its owner guards <see cref="IsTold"/>. The thread that reads from the hub sets <see cref="IsAnswered"/>.
/// If the wait ends at the same time and does not see that, the hub is told of an end that it knows, which it ignores.
/// </remarks>
internal sealed class ClientWait(ClientWaits owner, BusEvent handled, string waiting, string awaited, ulong number)
    : MachineWait(waiting, awaited)
{
    private LocalSend? _send;
    private EventBusException? _refused;
    private bool _isOver;

    /// <summary>The number by which the hub knows the wait.</summary>
    public ulong Number { get; } = number;

    /// <summary>The event whose handler waits.</summary>
    public BusEvent Handled { get; } = handled;

    /// <summary>The send that the handler waits for, if it stays in this process and has been made.</summary>
    public LocalSend? Send
    {
        get => Volatile.Read(ref _send);
        set
        {
            // The sender sets this and then reads Refused; Refuse sets Refused and then reads this. One of the two sees
            // the other's value.
            Volatile.Write(ref _send, value);
            Interlocked.MemoryBarrier();
        }
    }

    /// <summary>The reason if the hub refused the wait: it closes a circle over several processes.</summary>
    public EventBusException? Refused
    {
        get => Volatile.Read(ref _refused);
        set
        {
            Volatile.Write(ref _refused, value);
            Interlocked.MemoryBarrier();
        }
    }

    /// <summary>True if the hub was told of the wait, or a command in the queue will tell it.</summary>
    public bool IsTold { get; set; }

    /// <summary>
    /// True if the hub knows by itself that the wait is over: it answered the send, or refused the wait.
    /// </summary>
    public bool IsAnswered { get; set; }

    public override bool IsOver => Volatile.Read(ref _isOver);

    /// <summary>Notes that the handler does not wait any more. May be called more than once.</summary>
    public void End() => owner.End(this);

    public void SetOver() => Volatile.Write(ref _isOver, true);
}
