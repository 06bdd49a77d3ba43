using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

// Which handlers of the session's machines wait for which machines.
internal sealed partial class EventSession
{
    // A wait that is not noted is not found in a circle: it ends by its time-out.
    private const int MaxWaits = 16_384;

    // By the client's numbers. Added and removed by the reader, removed by answers, too.
    private readonly Dictionary<ulong, HubWait> _waits = [];

    private Verdict BeginWait(HandlerWait waiting, string awaited, PendingAcknowledgement? pending)
    {
        // What a session says of machines that are not its own would only harm others.
        if (waiting.Number == 0 || !_hub.Limits.CheckId(awaited, "machine").IsOk
            || !_hub.Machines.TryGet(waiting.MachineId, out var machine)
            || machine!.Inbox?.Outbox != _outbox)
        {
            return Verdict.Ok;
        }

        var wait = new HubWait(waiting.MachineId, awaited, pending);
        lock (_waits)
        {
            if (_ended.Task.IsCompleted || _waits.Count >= MaxWaits || _waits.ContainsKey(waiting.Number))
            {
                return Verdict.Ok;
            }

            var verdict = _hub.Waits.Begin(wait);
            if (verdict.IsOk)
            {
                _waits.Add(waiting.Number, wait);
            }

            return verdict;
        }
    }

    // Zero stands for none.
    private void EndWait(ulong number)
    {
        if (number == 0)
        {
            return;
        }

        lock (_waits)
        {
            if (_waits.Remove(number, out var wait))
            {
                _hub.Waits.End(wait);
            }
        }
    }

    /// <summary>Ends the waits of a machine's handler, or all.</summary>
    private void EndWaits(string? machineId = null)
    {
        lock (_waits)
        {
            foreach (var (number, wait) in _waits)
            {
                if (machineId is null || wait.Waiting == machineId)
                {
                    _waits.Remove(number);
                    _hub.Waits.End(wait);
                }
            }
        }
    }
}
