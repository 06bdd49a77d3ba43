using System.Globalization;
using Grpc.Core;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Routing;

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

    /// <summary>Waits for all of them.</summary>
    /// <param name="timeout">How long at most.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>A failure that names the first machine whose process has not confirmed in time.</returns>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<Verdict> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            await _done.Task.WaitAsync(timeout, cancellationToken).ConfigureAwait(false);
            return Verdict.Ok;
        }
        catch (TimeoutException)
        {
            return table.GiveUp(this) is { } machine ? Unconfirmed(machine, timeout) : Verdict.Ok;
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
    /// <returns>The target of a route that was waited for; none if all are done.</returns>
    public string? Clear()
    {
        var machine = _routes.FirstOrDefault()?.Target.Id;
        foreach (var route in _routes)
        {
            route.Waiting!.Remove(this);
        }

        waits.Give(_routes.Count);
        _routes.Clear();
        return machine;
    }

    private static Verdict Unconfirmed(string machine, TimeSpan timeout) => new(
        StatusCode.Unavailable,
        string.Create(
            CultureInfo.InvariantCulture,
            $"The process of the machine '{machine}' gets events past the hub, and has not confirmed within "
                + $"{timeout.TotalSeconds} s that it takes no more of them. The subscription would miss some. "
                + $"Subscribe again, or end that process."),
        machine);
}
