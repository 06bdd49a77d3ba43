using GrpcShm.EventBus.Budgets;

namespace GrpcShm.EventBus.Lanes;

/// <summary>
/// An observer that waits until the targets of all routes that it could match take no further event of them. From then
/// on it sees every event.
/// </summary>
/// <param name="table">The lane table, whose lock guards the routes.</param>
/// <param name="waits">The bound of the routes that the observers of one session wait for.</param>
internal sealed class RouteSilence(HubLanes table, Quota waits)
{
    // With how long the session of each target had waited for its client when this wait began.
    private readonly Dictionary<HubRoute, long> _routes = [];
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _begun = Environment.TickCount64;

    /// <summary>
    /// Waits for all of them. A process that does not confirm in time loses its session: its machines are not
    /// registered any more then, and no observer is promised what it takes.
    /// </summary>
    /// <param name="timeout">How long the hub waits for the client of a session at most.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var next = timeout;
        while (next > TimeSpan.Zero)
        {
            try
            {
                await _done.Task.WaitAsync(next, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (TimeoutException)
            {
                next = table.EndSilent(this, timeout);
            }
            catch (OperationCanceledException)
            {
                table.GiveUp(this);
                throw;
            }
        }
    }

    /// <summary>Waits for nothing any more: the subscription has ended.</summary>
    public void End()
    {
        table.GiveUp(this);
        _done.TrySetResult();
    }

    /// <summary>Adds a route. Under the table's lock.</summary>
    /// <returns>The bound that is reached; none if the route was added.</returns>
    public Quota? TryAdd(HubRoute route)
    {
        if (waits.Take(1) is { } full)
        {
            return full;
        }

        _routes.Add(route, route.TargetEnd.Idleness.Milliseconds);
        (route.Waiting ??= []).Add(this);
        return null;
    }

    /// <summary>Notes that the target of a route is done. Under the table's lock.</summary>
    public void NoteDone(HubRoute route)
    {
        if (!_routes.Remove(route))
        {
            return;
        }

        waits.Give(1);
        if (_routes.Count == 0)
        {
            // The continuations run on other threads.
            _done.TrySetResult();
        }
    }

    /// <summary>Takes the routes whose targets have been silent for too long. Under the table's lock.</summary>
    /// <param name="timeout">How long the hub waits for the client of a session at most.</param>
    /// <param name="longest">How long the whole wait lasts at most.</param>
    /// <param name="next">When to look again; zero if no route is left.</param>
    public List<HubRoute> TakeSilent(TimeSpan timeout, TimeSpan longest, out TimeSpan next)
    {
        var whole = longest - TimeSpan.FromMilliseconds(Environment.TickCount64 - _begun);
        next = whole;
        var silent = new List<HubRoute>();
        foreach (var (route, before) in _routes)
        {
            var left = timeout - TimeSpan.FromMilliseconds(route.TargetEnd.Idleness.Milliseconds - before);
            if (left <= TimeSpan.Zero || whole <= TimeSpan.Zero)
            {
                silent.Add(route);
            }
            else if (left < next)
            {
                next = left;
            }
        }

        silent.ForEach(Forget);
        next = _routes.Count == 0 ? TimeSpan.Zero : next;
        return silent;
    }

    /// <summary>Waits for no route any more. Under the table's lock.</summary>
    public void Clear()
    {
        foreach (var route in _routes.Keys.ToArray())
        {
            Forget(route);
        }
    }

    private void Forget(HubRoute route)
    {
        _routes.Remove(route);
        route.Waiting!.Remove(this);
        waits.Give(1);
    }
}
