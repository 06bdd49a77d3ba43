using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Which handlers of one client's machines wait for which machines. Circles within the process are found here. The
/// others are found by the hub, which knows who waits by an event that went through it, and is told of those that wait
/// for one of these.
/// </summary>
/// <remarks>
/// A circle over several processes has at least one event that went through the hub in each of them. Whatever comes
/// last, that event or a wait within the process that leads to it, the hub is told of the waits that lead there: in the
/// order of the client's commands, under the lock. So whichever command closes the circle finds the rest of it at the
/// hub.
/// </remarks>
internal sealed class ClientWaits(CommandQueue queue, CurrentSession session)
{
    private readonly Lock _lock = new();

    // What stays in this process, by who waits, and by who is waited for.
    private readonly WaitGraph _local = new();
    private readonly Dictionary<string, List<ClientWait>> _byAwaited = new(StringComparer.Ordinal);

    // How many events through the hub a machine waits for.
    private readonly Dictionary<string, int> _outside = new(StringComparer.Ordinal);
    private ulong _lastNumber;

    // Whether something was put into the queue, whose writer is woken outside of the lock: it may run on this thread.
    private bool _mustWake;

    /// <summary>
    /// Makes a wait for a send that is about to begin, if it is made in the flow of a machine's handler of this client.
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
    /// <returns>Why not, if that would close a circle.</returns>
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
    /// Begins a wait by an event that goes through the hub, before that takes its place in the queue. The caller wakes
    /// the writer.
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

    /// <summary>Ends a wait that has begun, or has not. May be called more than once.</summary>
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

    /// <summary>A handler has returned: what it has not awaited it does not wait for.</summary>
    public void EndAll(BusEvent handled)
    {
        // A send that begins at this very moment is not seen: it counts as waited for until it is answered.
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
    /// The hub refuses a wait within this process that it was told of: it closes a circle over several processes.
    /// </summary>
    public void Refuse(ClientWait wait, EventBusException reason)
    {
        wait.IsAnswered = true;
        wait.Refused = reason;
        wait.Send?.Withdraw(reason);
        End(wait);
    }

    /// <summary>
    /// What a new session of the hub must be told. Events through the hub that are sent again tell it by themselves.
    /// </summary>
    public List<HandlerWait> Told()
    {
        lock (_lock)
        {
            return [.. _byAwaited.Values.SelectMany(static waits => waits).Where(static wait => wait.IsTold).Select(ToMessage)];
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
        // What has been told was told with all that led to it, and what came later has told itself.
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

    // Under the lock, so that the hub is told in the order in which things happened. Without a connection there is
    // nobody to tell: the queue refuses it.
    private void Put(SessionCommand command, ClientWait? wait) =>
        _ = queue.TryAdd(new PendingCommand(command, PendingCommand.Overhead) { Wait = wait });
}
