using System.Diagnostics.CodeAnalysis;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>The commands that have not been written yet, in order. It outlives the connections.</summary>
/// <remarks>
/// A sender puts its command in under the lock, before its send returns: that is the command's place in the order.
/// Commands that a lost connection left unanswered come back in front of it.
/// </remarks>
internal sealed class CommandQueue(int maxPendingSends, ulong sender)
{
    private readonly Lock _lock = new();
    private readonly Queue<PendingCommand> _new = new();
    private readonly Queue<PendingCommand> _returned = new();

    // Events that a lane's other side had taken, and whose answers are missing. They are older than all else of their
    // machines that is still here.
    private readonly Queue<PendingCommand> _accepted = new();

    // Events that a lane gave back, and that go in front of a command which waited for them.
    private readonly Queue<PendingCommand> _before = new();
    private RouteTable? _routes;
    private Action<RouteEffects>? _run;

    // One that nobody uses at present. Threads that give theirs back at once lose one to the garbage collector.
    private RouteEffects? _spareEffects;
    private ulong _lastSequence;
    private int _pendingSends;
    private EventBusException? _closed;

    /// <summary>Wakes the writer.</summary>
    public WakeSignal Signal { get; } = new(runInline: false);

    public int PendingSends => Volatile.Read(ref _pendingSends);

    /// <summary>The number of this client in its events.</summary>
    public ulong Sender => sender;

    /// <summary>Lets events go over lanes. Call it once, before the first command.</summary>
    /// <param name="make">
    /// Makes the table, with the queue for events that go to the hub, and that for events in front of all new ones.
    /// </param>
    /// <param name="run">Does what changes of the routes leave to do. Called outside of the lock.</param>
    public RouteTable UseRoutes(
        Func<Queue<PendingCommand>, Queue<PendingCommand>, RouteTable> make, Action<RouteEffects> run)
    {
        _run = run;
        return _routes = make(_new, _accepted);
    }

    /// <summary>Does something with the routes, under the lock.</summary>
    /// <returns>What is left to do outside of the lock; none if nothing is.</returns>
    public RouteEffects? Use<T>(T state, Action<RouteTable, T> use)
    {
        lock (_lock)
        {
            use(_routes!, state);
            return TakeEffects();
        }
    }

    /// <summary>Takes the events that a lane's writer writes next.</summary>
    public LaneSends Take(LaneOutbox outbox, List<LaneSend> destination, int maxCount, int maxBytes, bool mayBeLarge)
    {
        lock (_lock)
        {
            return outbox.Take(destination, maxCount, maxBytes, mayBeLarge);
        }
    }

    /// <summary>True if an event on a lane is not answered for good.</summary>
    public bool IsBusy(LaneOutbox outbox)
    {
        lock (_lock)
        {
            return outbox.IsBusy;
        }
    }

    /// <summary>Takes back what <see cref="Use"/> gave, when it has been done. It is empty.</summary>
    public void GiveBack(RouteEffects effects) => Volatile.Write(ref _spareEffects, effects);

    /// <summary>Puts a command in. The caller wakes the writer.</summary>
    public EventBusException? TryAdd(PendingCommand command)
    {
        var refused = TryAdd(command, out _, out var effects);
        if (effects is not null)
        {
            _run!(effects);
        }

        return refused;
    }

    /// <summary>Puts a command in.</summary>
    /// <param name="command">The command.</param>
    /// <param name="wakesHub">True if the caller wakes the writer to the hub.</param>
    /// <param name="effects">What is left to do; none if nothing is.</param>
    public EventBusException? TryAdd(PendingCommand command, out bool wakesHub, out RouteEffects? effects)
    {
        (wakesHub, effects) = (false, null);
        lock (_lock)
        {
            if (_closed is not null)
            {
                return _closed;
            }

            if (command is PendingEvent @event)
            {
                if (_pendingSends >= maxPendingSends)
                {
                    return Verdict.TooManyPending(maxPendingSends).ToBusException();
                }

                Interlocked.Increment(ref _pendingSends);
                @event.SetPlace(sender, ++_lastSequence);
            }

            wakesHub = _routes is null || !TryPlace(_routes, command);
            if (wakesHub)
            {
                _new.Enqueue(command);
            }

            effects = _routes is null ? null : TakeEffects();
            return null;
        }
    }

    /// <summary>Takes the commands of the next message.</summary>
    public void Take(List<PendingCommand> destination, int maxCount, int maxBytes)
    {
        lock (_lock)
        {
            var bytes = 0;
            while (destination.Count < maxCount && bytes < maxBytes && TryDequeue(out var command))
            {
                destination.Add(command);
                bytes += command.Size;
            }
        }
    }

    /// <summary>
    /// Puts commands in front of all others: those that open the next session, then those that the last session left.
    /// Commands that were to open the last session, and were not written, are dropped.
    /// </summary>
    public void PutInFront(IEnumerable<PendingCommand> commands)
    {
        lock (_lock)
        {
            var rest = _returned.Where(command => !command.IsRestoring).ToArray();
            _returned.Clear();
            foreach (var command in commands.Concat(rest))
            {
                _returned.Enqueue(command);
            }
        }
    }

    /// <summary>Lists the commands that wait here, in order.</summary>
    public PendingCommand[] List()
    {
        lock (_lock)
        {
            return [.. InOrder()];
        }
    }

    /// <summary>Notes that a send waits for its answer no longer.</summary>
    public void NoteAnsweredSend() => Interlocked.Decrement(ref _pendingSends);

    /// <summary>Takes no more commands.</summary>
    /// <returns>The commands that were left.</returns>
    public List<PendingCommand> Close(EventBusException reason)
    {
        lock (_lock)
        {
            _closed = reason;
            return Drain();
        }
    }

    /// <summary>Takes commands again.</summary>
    public void Open()
    {
        lock (_lock)
        {
            _closed = null;
        }
    }

    private List<PendingCommand> Drain()
    {
        List<PendingCommand> left = [.. InOrder()];
        _returned.Clear();
        _accepted.Clear();
        _before.Clear();
        _new.Clear();
        return left;
    }

    private static bool TryPlace(RouteTable routes, PendingCommand command)
    {
        switch (command)
        {
            case PendingEvent @event:
                return routes.TryPlace(@event);
            case PendingMessage { Command.CommandCase: SessionCommand.CommandOneofCase.Unregister } message:
                // What the machine sent before must not come to the hub when it is not this client's any more.
                routes.Bar(command, message.Command.Unregister, routes.Clock());
                break;
        }

        return false;
    }

    private RouteEffects? TakeEffects() => _routes!.Effects.IsEmpty
        ? null
        : _routes.TakeEffects(Interlocked.Exchange(ref _spareEffects, null) ?? new RouteEffects());

    private bool TryDequeue([MaybeNullWhen(false)] out PendingCommand command)
    {
        if (_returned.TryDequeue(out command)
            || _accepted.TryDequeue(out command)
            || _before.TryDequeue(out command))
        {
            return true;
        }

        if (_new.TryPeek(out command) && command.Barrier is { } barrier)
        {
            if (barrier.OpenRoutes > 0)
            {
                command = null;
                return false;
            }

            command.Barrier = null;
            foreach (var @event in barrier.Before)
            {
                _before.Enqueue(@event);
            }

            return TryDequeue(out command);
        }

        return _new.TryDequeue(out command);
    }

    private IEnumerable<PendingCommand> InOrder() =>
        _returned.Concat(_accepted).Concat(_before).Concat(_new.SelectMany(static command =>
            (command.Barrier?.Before ?? Enumerable.Empty<PendingCommand>()).Append(command)));
}
