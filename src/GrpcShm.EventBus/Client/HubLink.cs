using GrpcShm.EventBus.Lanes;

namespace GrpcShm.EventBus.Client;

/// <summary>A client's link to its hub: made, kept up by one session after the other, and ended.</summary>
internal sealed partial class HubLink(
    SessionMaker sessions,
    ConnectFailures failures,
    EventBusClientOptions options,
    bool connectsByItself,
    CommandQueue queue,
    CurrentSession session,
    ClientSubscriptions subscriptions,
    CommandAnswers answers,
    RaisedEvents events,
    ClientEnd end,
    ClientLanes? lanes)
{
    // Guards _span with its callers, _running, _beginsByItself, _beginsAgain and _pausesUntil, and the note that the
    // client is disposed of.
    private readonly Lock _lock = new();
    private readonly bool _connectsByItself = connectsByItself;

    // The current span; none if no caller has connected, or the span is being ended.
    private LinkSpan? _span;
    private Task _running = Task.CompletedTask;

    // The state of the connection. The thread on which a change happens writes it, and the caller that disposes of the
    // client; every thread reads it without a lock: it was true a moment ago.
    private int _state;
    private volatile bool _hasEnded;

    // True while a use of the client begins to connect it: until its first use, and again after attempts that have
    // ended against its owner's wish. Then there is no span, and the queue is closed. Cleared under the lock, after the
    // queue was opened, and read without it by each user of the client: after false the queue is found open, unless the
    // attempts end, or the owner disconnects the client.
    private volatile bool _beginsByItself = connectsByItself;

    // True from the end of such attempts until nothing is left of them, unless their owner acts in between.
    private bool _beginsAgain;

    // No use begins to connect before this time of Environment.TickCount64.
    private long _pausesUntil;

    public EventBusConnectionState State =>
        _hasEnded ? EventBusConnectionState.Disconnected : (EventBusConnectionState)Volatile.Read(ref _state);

    /// <summary>Ends the link. Earlier sends are written and answered, within the usual bound of time.</summary>
    /// <param name="cancellationToken">Gives up waiting for the hub; the link ends anyway.</param>
    public Task EndAsync(CancellationToken cancellationToken) => EndAsync(options.ClosingTime, cancellationToken);

    /// <summary>Ends the link. Earlier sends are written and answered, within a bound of time.</summary>
    /// <param name="closingTime">How long the hub may take to answer.</param>
    /// <param name="cancellationToken">Gives up waiting for the hub; the link ends anyway.</param>
    public async Task EndAsync(TimeSpan closingTime, CancellationToken cancellationToken)
    {
        LinkSpan? span;
        Task running;
        lock (_lock)
        {
            (span, running) = (_span, _running);
            _span = null;
            if (_beginsByItself)
            {
                // No loop is there that would say so, and no command is in the queue.
                queue.Close(end.MakeReason(null));
            }

            (_beginsByItself, _beginsAgain) = (false, false);
        }

        if (span is null)
        {
            // Another caller is ending it, or it has ended.
            await running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        await EndAsync(span, closingTime, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends the link for good.</summary>
    public async Task DisposeAsync(TimeSpan closingTime)
    {
        lock (_lock)
        {
            end.SetDisposed();
        }

        await EndAsync(closingTime, CancellationToken.None).ConfigureAwait(false);
        SetEnded();
    }

    /// <summary>Says that the link has ended, though the rest of it may still be let go of.</summary>
    public void SetEnded() => _hasEnded = true;

    // Ends a span that this caller has taken.
    private async Task EndAsync(LinkSpan span, TimeSpan closingTime, CancellationToken cancellationToken)
    {
        if (session.Link is { HasEnded: false } link)
        {
            using var closing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            closing.CancelAfter(closingTime);
            if (lanes is not null)
            {
                // The rest of the time is for the hub: it has to answer what the lanes give back.
                using var leaving = CancellationTokenSource.CreateLinkedTokenSource(closing.Token);
                leaving.CancelAfter(closingTime / 2);
                await lanes.LeaveAsync(link, leaving.Token).ConfigureAwait(false);
            }

            await link.CloseAsync(end.MakeReason(null), closing.Token).ConfigureAwait(false);
        }

        await span.Stopping.CancelAsync().ConfigureAwait(false);
        await span.Over.Task.ConfigureAwait(false);
        span.Stopping.Dispose();
    }

    private async Task RunAsync(LinkSpan begun)
    {
        var (first, stopping) = (begun.First, begun.Token);
        Exception? reason = null;
        List<PendingCommand> left = [];
        sessions.Forget();
        try
        {
            while (true)
            {
                var unanswered = left;
                left = [];
                var link = await sessions.ConnectAsync(unanswered, stopping).ConfigureAwait(false);
                try
                {
                    SetState(EventBusConnectionState.Connected, null);
                    first.TrySetResult();
                    reason = await link.Ended.WaitAsync(stopping).ConfigureAwait(false);
                }
                finally
                {
                    left = await sessions.TakeOverAsync(link).ConfigureAwait(false);
                }

                stopping.ThrowIfCancellationRequested();
                if (!ReferenceEquals(Volatile.Read(ref _span), begun))
                {
                    reason = null;
                    break;
                }

                SetState(EventBusConnectionState.Reconnecting, failures.Explain(reason));
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            reason = null;
        }
        catch (Exception exception)
        {
            reason = failures.Explain(exception);
        }

        if (lanes is not null)
        {
            await lanes.StopListeningAsync().ConfigureAwait(false);
        }

        Stop(begun, left, reason);
    }

    private void SetState(EventBusConnectionState state, Exception? reason)
    {
        Volatile.Write(ref _state, (int)state);
        events.LogConnection(state, reason);
        events.RaiseConnectionChanged(state, reason);
    }

    private void Stop(LinkSpan begun, List<PendingCommand> left, Exception? reason)
    {
        var beginsAgain = _connectsByItself && reason is not null;
        var disconnected = end.MakeReason(reason, beginsAgain ? options.PauseAfterRefusal : null);
        try
        {
            LetGo(begun, left, disconnected, beginsAgain);
            events.LogConnection(EventBusConnectionState.Disconnected, reason);
            if (reason is not null)
            {
                events.LogEndOfAttempts(disconnected);
            }

            events.WriteRest();
        }
        finally
        {
            // Whatever has been thrown: callers that disconnect, or connect again, wait for this.
            begun.First.TrySetException(reason is null ? disconnected : ClientEnd.MakeUnreached(reason));
            _ = begun.First.Task.Exception;
            lock (_lock)
            {
                // Together: a listener that is told, and connects or uses the client again, finds nothing left of this
                // span. The event is only put into the queue here.
                if (_beginsAgain)
                {
                    _pausesUntil = Environment.TickCount64 + (long)options.PauseAfterRefusal.TotalMilliseconds;
                    (_beginsByItself, _beginsAgain) = (true, false);
                }

                events.RaiseConnectionChanged(EventBusConnectionState.Disconnected, reason);
                begun.Over.SetResult();
            }
        }
    }

    private void LetGo(
        LinkSpan begun, List<PendingCommand> left, EventBusException disconnected, bool beginsAgain)
    {
        session.Link = null;
        var isUnused = false;
        lock (_lock)
        {
            // A caller that ends the span has taken it, and another one may have begun the next span already.
            if (_span == begun)
            {
                (isUnused, _span) = (true, null);
                _beginsAgain = beginsAgain;
            }
        }

        if (isUnused)
        {
            begun.Stopping.Dispose();
        }

        // Before any sender is told that its send was left.
        Volatile.Write(ref _state, (int)EventBusConnectionState.Disconnected);
        foreach (var command in left.Concat(queue.Close(disconnected)))
        {
            answers.Fail(command, disconnected);
        }

        subscriptions.EndAll(disconnected);
    }
}
