using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Which handlers of one client's machines wait for which machines. Circles within the process are found here. The hub
/// finds the others: it knows the handlers that wait by an event through the hub, and is told of handlers that wait for
/// one of these within the process.
/// </summary>
/// <remarks>
/// A circle over several processes has at least one event through the hub in each of them. Whether that event comes
/// last, or a wait within the process that leads to it, the hub is told of the waits that lead there, under the lock
/// and so in the order of the client's commands. The command that closes the circle finds the rest of it at the hub.
/// </remarks>
internal sealed class ClientWaits(CommandQueue queue, CurrentSession session)
{
    private readonly Lock _lock = new();

    // The waits that stay in this process: by the machine that waits, and by the machine that is waited for.
    private readonly WaitGraph _local = new();
    private readonly Dictionary<string, List<ClientWait>> _byAwaited = new(StringComparer.Ordinal);

    // By machine: how many events through the hub its handlers wait for.
    private readonly Dictionary<string, int> _outside = new(StringComparer.Ordinal);
    private ulong _lastNumber;

    // True if a command was put into the queue. Its writer is woken outside of the lock: it may run on this thread.
    private bool _mustWake;

    /// <summary>
    /// Makes a wait for a send that is about to begin, if the send is made in the flow of a handler of this client's
    /// machines.
    /// </summary>
    public ClientWait? Make(string awaited)
    {
        var handled = HandlerFlow.Current;
        return handled is { HasBeenHandled: false, HandledBy: EventReceiver { IsMachine: true } receiver }
            && receiver.Waits == this
            ? new ClientWait(this, handled, receiver.Name, awaited, Interlocked.Increment(ref _lastNumber))
            : null;
    }

    /// <summary>Begins a wait for a machine of this client.</summary>
    /// <returns>The failure if the wait would close a circle; else none.</returns>
    public EventBusException? BeginLocal(ClientWait wait)
    {
        bool mustWake;
        lock (_lock)
        {
            var verdict = _local.Check(wait.Waiting, wait.Awaited);
            if (!verdict.IsOk)
            {
                wait.SetOver();
                return verdict.ToBusException();
            }

            _local.Add(wait);
            if (!_byAwaited.TryGetValue(wait.Awaited, out var waits))
            {
                _byAwaited.Add(wait.Awaited, waits = []);
            }

            waits.Add(wait);
            Note(wait);
            if (LeadsOutside(wait.Awaited))
            {
                Tell(wait);
                TellThatLeadTo(wait.Waiting);
            }

            mustWake = TakeWake();
        }

        if (mustWake)
        {
            session.Wake();
        }

        return null;
    }

    /// <summary>
    /// Begins a wait by an event through the hub, before the event takes its place in the queue. The caller wakes the
    /// writer.
    /// </summary>
    public void BeginOutside(ClientWait wait)
    {
        lock (_lock)
        {
            wait.IsTold = true;
            _outside[wait.Waiting] = _outside.GetValueOrDefault(wait.Waiting) + 1;
            Note(wait);
            TellThatLeadTo(wait.Waiting);
            _mustWake = false;
        }
    }

    /// <summary>Ends a wait, whether or not it has begun. May be called more than once.</summary>
    public void End(ClientWait wait)
    {
        if (wait.IsOver)
        {
            return;
        }

        bool mustWake;
        lock (_lock)
        {
            EndUnderLock(wait);
            mustWake = TakeWake();
        }

        if (mustWake)
        {
            session.Wake();
        }
    }

    /// <summary>Ends all waits of a handler that has returned: it awaits none of them any more.</summary>
    public void EndAll(BusEvent handled)
    {
        // A send that begins at this moment is not seen: it counts as a wait until it is answered.
        if (handled.Waits is not { } waits)
        {
            return;
        }

        bool mustWake;
        lock (_lock)
        {
            foreach (var wait in waits)
            {
                EndUnderLock(wait);
            }

            waits.Clear();
            mustWake = TakeWake();
        }

        if (mustWake)
        {
            session.Wake();
        }
    }

    /// <summary>
    /// Ends a wait within this process that the hub refuses: it closes a circle over several processes.
    /// </summary>
    public void Refuse(ClientWait wait, EventBusException reason)
    {
        wait.IsAnswered = true;
        wait.Refused = reason;
        wait.Send?.Withdraw(reason);
        End(wait);
    }

    /// <summary>
    /// Lists the waits of which a new session must tell the hub. Events through the hub that are sent again tell of
    /// theirs by themselves.
    /// </summary>
    public List<HandlerWait> ListTold()
    {
        lock (_lock)
        {
            var told = _byAwaited.Values.SelectMany(static waits => waits).Where(static wait => wait.IsTold);
            return [.. told.Select(ToMessage)];
        }
    }

    public static HandlerWait ToMessage(ClientWait wait) => new()
    {
        Number = wait.Number, MachineId = wait.Waiting, AwaitedMachineId = wait.Awaited,
    };

    private void EndUnderLock(ClientWait wait)
    {
        if (wait.IsOver)
        {
            return;
        }

        wait.SetOver();
        if (_local.Remove(wait))
        {
            var waits = _byAwaited[wait.Awaited];
            waits.Remove(wait);
            if (waits.Count == 0)
            {
                _byAwaited.Remove(wait.Awaited);
            }
        }
        else if (_outside.TryGetValue(wait.Waiting, out var count))
        {
            if (count == 1)
            {
                _outside.Remove(wait.Waiting);
            }
            else
            {
                _outside[wait.Waiting] = count - 1;
            }
        }

        if (wait is { IsTold: true, IsAnswered: false })
        {
            _mustWake = true;
            Put(new SessionCommand { EndWait = wait.Number }, null);
        }
    }

    private bool TakeWake()
    {
        var mustWake = _mustWake;
        _mustWake = false;
        return mustWake;
    }

    private static void Note(ClientWait wait) => (wait.Handled.Waits ??= []).Add(wait);

    private bool LeadsOutside(string machineId)
    {
        if (_outside.Count == 0)
        {
            return false;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal) { machineId };
        var open = new Stack<string>(seen);
        while (open.TryPop(out var at))
        {
            if (_outside.ContainsKey(at))
            {
                return true;
            }

            foreach (var wait in _local.From(at))
            {
                if (!wait.IsOver && seen.Add(wait.Awaited))
                {
                    open.Push(wait.Awaited);
                }
            }
        }

        return false;
    }

    private void TellThatLeadTo(string machineId)
    {
        // A wait that the hub knows was told with all waits that led to it; later ones have been told themselves.
        var open = new Stack<string>([machineId]);
        while (open.TryPop(out var at))
        {
            foreach (var wait in _byAwaited.GetValueOrDefault(at) ?? [])
            {
                if (!wait.IsTold)
                {
                    Tell(wait);
                    open.Push(wait.Waiting);
                }
            }
        }
    }

    private void Tell(ClientWait wait)
    {
        wait.IsTold = true;
        _mustWake = true;
        Put(new SessionCommand { BeginWait = ToMessage(wait) }, wait);
    }

    // Under the lock, so that the hub is told of waits in their order. Without a connection the queue refuses the
    // command: there is no hub to tell.
    private void Put(SessionCommand command, ClientWait? wait) =>
        _ = queue.TryAdd(new PendingMessage(command) { Wait = wait });
}
