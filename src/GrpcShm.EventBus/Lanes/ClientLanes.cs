using System.Collections.Concurrent;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Routing;
using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Lanes;

/// <summary>
/// The lanes of a client: introduces its process to others at the hub's word, and brings what lanes and hub say to the
/// routes. A lane lasts no longer than the session that it was made for.
/// </summary>
internal sealed partial class ClientLanes : IDisposable
{
    // The most that a hub can be told to grant one session.
    private const int MaxLanes = 4096;
    private const int MaxTargets = 16_384;

    // A timer that comes so many milliseconds late comes after a stop of this process, or of the machine.
    private const long LateTimer = 1_000;

    private readonly EventLaneTransport _transport;
    private readonly LaneTimes _times;
    private readonly CommandQueue _queue;
    private readonly CurrentSession _session;
    private readonly CommandAnswers _answers;
    private readonly ReceiverTable _receivers;
    private readonly MessagingMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Timer _timer;
    private readonly Lock _timerLock = new();
    private readonly ConcurrentDictionary<ulong, ClientLane> _lanes = new();
    private readonly ConcurrentDictionary<uint, TargetRoute> _targets = new();

    // Under the timer's lock: when the timer runs, and that it does not run any more.
    private long _due = long.MaxValue;
    private bool _isDisposed;

    // Completed when a lane was introduced, and replaced then. Connections may be faster than the hub.
    private TaskCompletionSource _introduced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Completed when no route is left of a client that is about to disconnect.
    private TaskCompletionSource? _left;

    public ClientLanes(
        EventLaneTransport transport,
        LaneTimes times,
        CommandQueue queue,
        CurrentSession session,
        CommandAnswers answers,
        ReceiverTable receivers,
        MessagingMetrics metrics,
        ILogger logger)
    {
        _transport = transport;
        _times = times;
        _queue = queue;
        _session = session;
        _answers = answers;
        _receivers = receivers;
        _metrics = metrics;
        _logger = logger;
        _timer = new Timer(static state => ((ClientLanes)state!).Expire(), this, Timeout.Infinite, Timeout.Infinite);
        queue.UseRoutes((hub, front) => new RouteTable(hub, front, times, MayAsk)
        {
            RequestAnswered = (route, outcome) => Use(
                (Route: route, Outcome: outcome),
                static (routes, state) => routes.NoteRequest(state.Route, state.Outcome, routes.Clock())),
            FenceAnswered = (route, outcome) => Use(
                (Route: route, Succeeded: outcome is null or { StatusCode: 0 }),
                static (routes, state) => routes.NoteFence(state.Route, state.Succeeded, routes.Clock())),
        }, Run);
    }

    /// <summary>The lane of a number; none if it has ended, or was never introduced.</summary>
    public ClientLane? Find(ulong id) => _lanes.GetValueOrDefault(id);

    /// <summary>Does what a change of the routes has left to do. Call it outside of all locks.</summary>
    /// <param name="effects">What is left; none if nothing is.</param>
    public void Run(RouteEffects effects)
    {
        // These first: other threads' events and times rely on them, and what follows may be code of others.
        Arm(effects.Due);
        foreach (var outbox in effects.Wakes)
        {
            Find(outbox)?.Link?.Wake();
        }

        foreach (var (@event, outcome) in effects.Answered)
        {
            try
            {
                _answers.Answer(@event, outcome);
            }
            catch (Exception exception)
            {
                EndBadly(@event, exception);
            }

            @event.Release();
        }

        foreach (var (@event, reason) in effects.Failed)
        {
            try
            {
                _answers.Fail(@event, reason);
            }
            catch (Exception exception)
            {
                EndBadly(@event, exception);
            }
        }

        foreach (var @event in effects.Watched)
        {
            _ = WatchDeadlineAsync(@event);
        }

        // Not to the session of this moment: this thread may be late.
        foreach (var note in effects.Notes)
        {
            (effects.Session as SessionLink)?.Note(note);
        }

        foreach (var outbox in effects.Broken)
        {
            if (Find(outbox) is { } lane)
            {
                End(lane, "The other process did not answer in time.");
            }
        }

        foreach (var outbox in effects.Idle)
        {
            if (Find(outbox) is { Link: { } link } lane)
            {
                LaneFaultPoint.Reach(LaneStep.LeaveBegun);
                link.BeginLeave();
                _ = BoundLeaveAsync(lane, link);
            }
        }

        if (effects.Carried > 0)
        {
            CountCarried(effects.Carried);
        }

        if (effects.HasLeft)
        {
            Volatile.Read(ref _left)?.TrySetResult();
        }

        if (effects.WakesHub)
        {
            _session.Link?.Wake();
        }

        effects.Clear();
        _queue.GiveBack(effects);
    }

    public void Dispose()
    {
        lock (_timerLock)
        {
            _isDisposed = true;
        }

        _timer.Dispose();
        _listening.Dispose();
    }

    // Another hub may have given the number to another lane meanwhile.
    private ClientLane? Find(LaneOutbox outbox) =>
        Find(outbox.Id) is { } lane && lane.Outbox == outbox ? lane : null;

    // As with all listeners: what is left to do is done in any case.
    private void CountCarried(int count)
    {
        try
        {
            _metrics.CountLaneEvents(count);
        }
        catch (Exception exception)
        {
            _logger.ListenerFailed(exception);
        }
    }

    // A listener to metrics or activities is foreign code. Neither this send nor the rest may wait for ever because of
    // it.
    private void EndBadly(PendingEvent @event, Exception exception)
    {
        if (@event.TrySetException(exception))
        {
            _ = @event.Task.Exception;
        }

        _logger.LaneFailed($"An answer that came over a lane could not be told: {exception.Message}");
    }

    private bool MayAsk(string source) => _receivers.TryGetMachine(source, out var machine) && machine.IsStanding;

    private void Use<T>(T state, Action<RouteTable, T> use)
    {
        if (_queue.Use(state, use) is { } effects)
        {
            Run(effects);
        }
    }

    private void Arm(long due)
    {
        if (due == long.MaxValue)
        {
            return;
        }

        lock (_timerLock)
        {
            if (due < _due && !_isDisposed)
            {
                _due = due;
                _timer.Change(Math.Max(1, due - Environment.TickCount64), Timeout.Infinite);
            }
        }
    }

    private void Expire()
    {
        bool isLate;
        lock (_timerLock)
        {
            isLate = Environment.TickCount64 - _due > LateTimer;
            _due = long.MaxValue;
        }

        // Only one side ends a lane that nobody uses.
        var connected = _lanes.Values.Where(static lane => lane.IsConnector);
        Use((Lanes: connected, IsLate: isLate), static (routes, state) =>
        {
            var now = routes.Clock();
            routes.Expire(now, state.IsLate);
            foreach (var lane in state.Lanes)
            {
                routes.ExpireIdle(lane.Outbox, lane.Link is { Owes: true }, now);
            }
        });
    }

    // The hub does it for events that it has.
    private async Task WatchDeadlineAsync(PendingEvent @event)
    {
        var left = TimeSpan.FromMilliseconds(Math.Max(0, @event.Deadline - Environment.TickCount64));
        await ((Task)@event.Task).WaitAsync(left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var reason = Verdict.TooLate(@event.Names.Target).ToBusException();
        EndWaiting(@event, reason);

        // If the hub has got it meanwhile, it would watch it for as long once more.
        if (@event.TrySetException(reason))
        {
            _ = @event.Task.Exception;
        }
    }

    private void EndWaiting(PendingEvent @event, EventBusException reason) =>
        Use((Event: @event, Reason: reason), static (routes, state) =>
        {
            if (RouteTable.TryEnd(state.Event))
            {
                routes.Effects.Failed.Add((state.Event, state.Reason));
            }
        });
}
