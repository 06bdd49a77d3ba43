using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;

namespace GrpcShm.EventBus.Local;

/// <summary>
/// The waits of the handler of one machine of the hub's own process, while it handles an event. The hub finds circles
/// by them.
/// </summary>
internal sealed class LocalWaits(HubCore hub, string machineId)
{
    private readonly Lock _lock = new();
    private readonly List<HubWait> _waits = [];

    /// <summary>Notes that the handler waits for another machine, unless that would close a circle.</summary>
    public Verdict Begin(string awaited, PendingAcknowledgement pending)
    {
        var wait = new HubWait(machineId, awaited, pending);
        lock (_lock)
        {
            var verdict = hub.Waits.Begin(wait);
            if (verdict.IsOk)
            {
                _waits.Add(wait);
            }

            return verdict;
        }
    }

    /// <summary>Ends the wait for an acknowledgement.</summary>
    public void End(PendingAcknowledgement pending)
    {
        lock (_lock)
        {
            var index = _waits.FindIndex(wait => wait.IsFor(pending));
            if (index >= 0)
            {
                hub.Waits.End(_waits[index]);
                _waits.RemoveAt(index);
            }
        }
    }

    /// <summary>Ends all waits of a handler that has returned: it awaits none of them any more.</summary>
    public void EndAll()
    {
        lock (_lock)
        {
            foreach (var wait in _waits)
            {
                hub.Waits.End(wait);
            }

            _waits.Clear();
        }
    }
}
