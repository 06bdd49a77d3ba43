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
    private readonly HashSet<HubRoute> _routes = [];
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Waits for all of them. A process that does not confirm in time loses its session: its machines are not
    /// registered any more then, and no observer is promised what it takes.
    /// </summary>
    /// <param name="timeout">How long at most.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            await _done.Task.WaitAsync(timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            table.EndSilent(this, timeout);
        }
        catch (OperationCanceledException)
        {
            table.GiveUp(this);
            throw;
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

        _routes.Add(route);
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

    /// <summary>Waits for no route any more. Under the table's lock.</summary>
    /// <returns>The routes that were waited for; none if the targets of all are done.</returns>
    public HubRoute[] Clear()
    {
        HubRoute[] left = [.. _routes];
        foreach (var route in left)
        {
            route.Waiting!.Remove(this);
        }

        waits.Give(left.Length);
        _routes.Clear();
        return left;
    }
}
