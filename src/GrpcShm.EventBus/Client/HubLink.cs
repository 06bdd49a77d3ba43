using System.Runtime.CompilerServices;
using Grpc.Core;
using GrpcShm.EventBus.Flows;

namespace GrpcShm.EventBus.Client;

/// <summary>A client's link to its hub: made, kept up by one session after the other, and ended.</summary>
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
    // Guards _span, _running, _connected and _beginsByItself, and the note that the client is disposed of.
    private readonly Lock _lock = new();

    // The current span; none if no caller has connected, or the span is being ended.
    private LinkSpan? _span;
    private Task _running = Task.CompletedTask;
    private Task _connected = Task.CompletedTask;

    // The state of the connection. The thread on which a change happens writes it, and the caller that disposes of the
    // client; every thread reads it without a lock: it was true a moment ago.
    private int _state;
    private volatile bool _hasEnded;

    // True until the client is connected for the first time, if it connects by itself. Cleared under the lock, after
    // the queue was opened, and read without it by each user of the client: after false the queue is found open.
    private volatile bool _beginsByItself = options.ConnectsByItself;

    public EventBusConnectionState State =>
        _hasEnded ? EventBusConnectionState.Disconnected : (EventBusConnectionState)Volatile.Read(ref _state);

    /// <summary>Connects, or waits for the caller that is connecting.</summary>
    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        Task connected;
        LinkSpan? begun = null;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(end.IsDisposed, typeof(EventClient));
            if (_span is null)
            {
                begun = AddSpan();
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
            await EndAsync(CancellationToken.None).ConfigureAwait(false);
            throw new EventBusException(
                StatusCode.Unavailable,
                $"The hub could not be reached within {options.ConnectTimeout.TotalSeconds:0.###} s: "
                + $"{failure?.Message ?? "no answer"}. Is its process running, and does it call MapEventBus?",
                null,
                failure);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await EndAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Begins to connect, if the client connects by itself and this is its first use. Sends and subscriptions wait for
    /// the connection from here on.
    /// </summary>
    public void BeginByItself()
    {
        if (_beginsByItself)
        {
            BeginForTheFirstTime();
        }
    }

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
            _beginsByItself = false;
        }

        if (span is null)
        {
            // Another caller is ending it, or it has ended.
            await running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        if (session.Link is { HasEnded: false } link)
        {
            using var closing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            closing.CancelAfter(closingTime);
            await link.CloseAsync(end.MakeReason(null), closing.Token).ConfigureAwait(false);
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

    /// <summary>Says that the link has ended, though the rest of it may still be let go of.</summary>
    public void SetEnded() => _hasEnded = true;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void BeginForTheFirstTime()
    {
        LinkSpan? begun = null;
        lock (_lock)
        {
            if (_beginsByItself && _span is null && !end.IsDisposed)
            {
                begun = AddSpan();
            }

            _beginsByItself = false;
        }

        if (begun is not null)
        {
            Begin(begun);
        }
    }

    // Under the lock.
    private LinkSpan AddSpan()
    {
        if (_beginsByItself)
        {
            // There was no span before. A user that comes from here on does not begin one, and must not be refused.
            queue.Open();
            _beginsByItself = false;
        }

        var begun = new LinkSpan(new CancellationTokenSource(), _running);
        _span = begun;
        (_connected, _running) = (begun.First.Task, begun.Over.Task);
        return begun;
    }

    // Outside of the lock, since it logs. Sends wait for the connection from here on; behind a span that is still being
    // ended, from the end of that span on.
    private void Begin(LinkSpan begun)
    {
        var isAlone = begun.Previous.IsCompleted;
        if (isAlone)
        {
            Open();
        }

        // The connection outlives its caller: begun in a handler's flow, it would be a part of that handler as long as
        // it lives.
        _ = LongLived.Start(async () =>
        {
            if (!isAlone)
            {
                // Another caller is ending the span before: its end must not be mistaken for this one's.
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
        var disconnected = end.MakeReason(reason);
        try
        {
            LetGo(begun, left, disconnected);
            events.LogConnection(EventBusConnectionState.Disconnected, reason);
            events.WriteRest();
        }
        finally
        {
            // Whatever has been thrown: callers that disconnect, or connect again, wait for this.
            begun.First.TrySetException(disconnected);
            _ = begun.First.Task.Exception;
            lock (_lock)
            {
                // Together: a listener that is told, and connects again, finds nothing left of this span. The event is
                // only put into the queue here.
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
            // A caller that ends the span has taken it, and another one may have begun the next span already.
            if (_span == begun)
            {
                (isUnused, _span) = (true, null);
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
