using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;

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
    private ulong _lastSequence;
    private int _pendingSends;
    private EventBusException? _closed;

    /// <summary>Wakes the writer.</summary>
    public WakeSignal Signal { get; } = new(runInline: false);

    public int PendingSends => Volatile.Read(ref _pendingSends);

    /// <summary>Puts a command in. The caller wakes the writer.</summary>
    public EventBusException? TryAdd(PendingCommand command)
    {
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

            _new.Enqueue(command);
            return null;
        }
    }

    /// <summary>Takes the commands of the next message.</summary>
    public void Take(List<PendingCommand> destination, int maxCount, int maxBytes)
    {
        lock (_lock)
        {
            var bytes = 0;
            while (destination.Count < maxCount && bytes < maxBytes
                && (_returned.TryDequeue(out var command) || _new.TryDequeue(out command)))
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
            return [.. _returned, .. _new];
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
        List<PendingCommand> left = [.. _returned, .. _new];
        _returned.Clear();
        _new.Clear();
        return left;
    }
}
