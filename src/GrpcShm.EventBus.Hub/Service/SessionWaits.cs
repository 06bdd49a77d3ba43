using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

/// <summary>Which handlers of one session's machines wait for which machines, by the client's numbers.</summary>
/// <remarks>The session's reader adds and removes waits; the answers to sends remove waits, too.</remarks>
internal sealed class SessionWaits(HubCore hub, Outbox outbox)
{
    // A wait that is not noted is not found in a circle: it ends by its time-out.
    private const int MaxWaits = 16_384;

    private readonly Lock _lock = new();

    // Under the lock.
    private readonly Dictionary<ulong, HubWait> _waits = [];
    private bool _isClosed;

    /// <summary>Notes that a handler waits, unless that would close a circle.</summary>
    /// <param name="waiting">The machine whose handler waits, and the client's number of the wait.</param>
    /// <param name="awaited">The machine that the handler waits for.</param>
    /// <param name="pending">The send that the handler waits for, if it goes through the hub; or none.</param>
    public Verdict Begin(HandlerWait waiting, string awaited, PendingAcknowledgement? pending)
    {
        // A session that says something of machines of others would only harm these.
        if (waiting.Number == 0 || !hub.Limits.CheckId(awaited, "machine").IsOk
            || !hub.Machines.TryGet(waiting.MachineId, out var machine)
            || machine!.Inbox?.Outbox != outbox)
        {
            return Verdict.Ok;
        }

        var wait = new HubWait(waiting.MachineId, awaited, pending);
        lock (_lock)
        {
            if (_isClosed || _waits.Count >= MaxWaits || _waits.ContainsKey(waiting.Number))
            {
                return Verdict.Ok;
            }

            var verdict = hub.Waits.Begin(wait);
            if (verdict.IsOk)
            {
                _waits.Add(waiting.Number, wait);
            }

            return verdict;
        }
    }

    /// <summary>Ends one wait. Zero stands for none.</summary>
    public void End(ulong number)
    {
        if (number == 0)
        {
            return;
        }

        lock (_lock)
        {
            if (_waits.Remove(number, out var wait))
            {
                hub.Waits.End(wait);
            }
        }
    }

    /// <summary>Ends the waits of one machine's handler.</summary>
    public void EndAllOf(string machineId)
    {
        lock (_lock)
        {
            EndWhere(wait => wait.Waiting == machineId);
        }
    }

    /// <summary>Ends all waits, and takes no further one.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            EndWhere(static _ => true);
        }
    }

    // Under the lock.
    private void EndWhere(Func<HubWait, bool> isMeant)
    {
        foreach (var (number, wait) in _waits)
        {
            if (isMeant(wait))
            {
                _waits.Remove(number);
                hub.Waits.End(wait);
            }
        }
    }
}
