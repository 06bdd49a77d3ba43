using Grpc.Core;
using GrpcShm.EventBus.Flows;

namespace GrpcShm.EventBus.Client;

/// <summary>A client's link to its hub: made, kept up by one session after the other, ended.</summary>
internal sealed class HubLink(
    SessionMaker sessions,
    EventBusClientOptions options,
    CommandQueue queue,
    CurrentSession session,
    ClientSubscriptions subscriptions,
    CommandAnswers answers,
    RaisedEvents events,
    ClientEnd end)
{
    /// <summary>
    /// How long the hub may take to answer what was sent before, for callers that wait for the end of the link.
    /// </summary>
    public static readonly TimeSpan ClosingTime = TimeSpan.FromSeconds(5);

    // Guards _span, _running and _connected, and that a client is disposed of.
    private readonly Lock _lock = new();

    // The span that stands; none if nobody has connected, or it is being ended.
    private LinkSpan? _span;
    private Task _running = Task.CompletedTask;
    private Task _connected = Task.CompletedTask;

    // How the client stands with its hub. Written by the thread that a change happens on, and by whoever disposes of
    // the client; read by everybody, without a lock: it is what was true a moment ago.
    private int _state;
    private volatile bool _hasEnded;

    public EventBusConnectionState State =>
        _hasEnded ? EventBusConnectionState.Disconnected : (EventBusConnectionState)Volatile.Read(ref _state);

    /// <summary>Connects, or waits for whoever is connecting.</summary>
    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        Task connected;
        LinkSpan? begun = null;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(end.IsDisposed, typeof(EventClient));
            if (_span is null)
            {
                _span = begun = new LinkSpan(new CancellationTokenSource(), _running);
                (_connected, _running) = (begun.First.Task, begun.Over.Task);
            }

            connected = _connected;
        }

        if (begun is not null)
        {
            Begin(begun);
        }

        try
        {
            await connected.WaitAsync(options.ConnectTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            var failure = sessions.LastFailure;
            await EndAsync(ClosingTime, CancellationToken.None).ConfigureAwait(false);
            throw new EventBusException(
                StatusCode.Unavailable,
                $"The hub could not be reached within {options.ConnectTimeout.TotalSeconds:0.###} s: "
                + $"{failure?.Message ?? "no answer"}. Is its process running, and does it call MapEventBus?",
                null,
                failure);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await EndAsync(ClosingTime, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Ends the link: what was sent before is written and answered, within a bound.</summary>
    /// <param name="closingTime">How long the hub may take for that.</param>
    /// <param name="cancellationToken">Gives up waiting for the hub; the link ends anyway.</param>
    public async Task EndAsync(TimeSpan closingTime, CancellationToken cancellationToken)
    {
        LinkSpan? span;
        Task running;
        lock (_lock)
        {
            (span, running) = (_span, _running);
            _span = null;
        }

        if (span is null)
        {
            // Somebody else is at it, or it is done.
            await running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        if (session.Link is { HasEnded: false } link)
        {
            using var closing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            closing.CancelAfter(closingTime);
            await link.CloseAsync(ClientEnd.Disconnected(null), closing.Token).ConfigureAwait(false);
        }

        await span.Stopping.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
        span.Stopping.Dispose();
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

    /// <summary>Says that the link has ended, though what is left of it may still be let go of.</summary>
    public void SetEnded() => _hasEnded = true;

    // Outside of the lock, since it logs. What is sent from here on waits for the connection; behind a span that is
    // still being ended, what is sent from when that has gone.
    private void Begin(LinkSpan begun)
    {
        var isAlone = begun.Previous.IsCompleted;
        if (isAlone)
        {
            Open();
        }

        // The connection outlives its caller: in a handler's flow, say, it would be a part of that handler for all its
        // life.
        _ = LongLived.Start(async () =>
        {
            if (!isAlone)
            {
                // The span before is being ended by somebody: its end must not be taken for this one's.
                await begun.Previous.ConfigureAwait(false);
                Open();
            }

            await RunAsync(begun).ConfigureAwait(false);
        });

        void Open()
        {
            queue.Open();
            SetState(EventBusConnectionState.Connecting, null);
        }
    }

    private async Task RunAsync(LinkSpan begun)
    {
        var (first, stopping) = (begun.First, begun.Token);
        Exception? reason = null;
        List<PendingCommand> left = [];
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

                SetState(EventBusConnectionState.Reconnecting, reason);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            reason = null;
        }
        catch (Exception exception)
        {
            reason = exception;
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
        var disconnected = ClientEnd.Disconnected(reason);
        try
        {
            LetGo(begun, left, disconnected);
            events.LogConnection(EventBusConnectionState.Disconnected, reason);
            events.WriteRest();
        }
        finally
        {
            // Whatever has been thrown: who disconnects, and who connects again, waits for this.
            begun.First.TrySetException(disconnected);
            _ = begun.First.Task.Exception;
            lock (_lock)
            {
                // Together: a listener that is told, and connects again, finds nothing left of this span. Here it is
                // only put into the queue.
                events.RaiseConnectionChanged(EventBusConnectionState.Disconnected, reason);
                begun.Over.SetResult();
            }
        }
    }

    private void LetGo(LinkSpan begun, List<PendingCommand> left, EventBusException disconnected)
    {
        session.Link = null;
        var isUnused = false;
        lock (_lock)
        {
            // Whoever ends the span has taken it, and somebody may have begun the next one already.
            if (_span == begun)
            {
                (isUnused, _span) = (true, null);
            }
        }

        if (isUnused)
        {
            begun.Stopping.Dispose();
        }

        // Before anybody is told that a send was left.
        Volatile.Write(ref _state, (int)EventBusConnectionState.Disconnected);
        foreach (var command in left.Concat(queue.Close(disconnected)))
        {
            answers.Fail(command, disconnected);
        }

        subscriptions.EndAll(disconnected);
    }
}
