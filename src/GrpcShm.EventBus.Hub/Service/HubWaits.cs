using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Service;

/// <summary>Knows which machine of any session waits for which.</summary>
internal sealed class HubWaits
{
    private readonly Lock _lock = new();
    private readonly WaitGraph _graph = new();

    /// <summary>How many waits there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _graph.Count;
            }
        }
    }

    /// <summary>Notes a wait, unless it would close a circle.</summary>
    public Verdict Begin(HubWait wait)
    {
        lock (_lock)
        {
            var verdict = _graph.Check(wait.Waiting, wait.Awaited);
            if (verdict.IsOk)
            {
                _graph.Add(wait);
            }

            return verdict;
        }
    }

    public void End(HubWait wait)
    {
        lock (_lock)
        {
            _graph.Remove(wait);
        }
    }
}
