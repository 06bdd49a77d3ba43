using Grpc.Core;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

// The end of a client by the wish of whoever owns it.
public sealed partial class EventClient
{
    // How long the hub may take to answer what was sent before, for callers that wait and for those whose thread is held.
    private static readonly TimeSpan ClosingTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BlockingTime = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Disconnects: what was sent before is still written, the machines of this client are unregistered, and sends that the
    /// hub does not answer any more fail with <c>Unavailable</c>. Those in the flow of a handler that wait for no more than
    /// <see cref="AcknowledgementLevel.Accepted"/> complete instead, and <see cref="SendFailed"/> tells of them.
    /// </summary>
    /// <param name="cancellationToken">Gives up waiting for the hub; the client is disconnected anyway.</param>
    public Task DisconnectAsync(CancellationToken cancellationToken = default) => EndAsync(ClosingTime, cancellationToken);

    /// <summary>
    /// Disconnects, as <see cref="DisconnectAsync(CancellationToken)"/> does, for good. No send that is under way and waits for
    /// no more than <see cref="AcknowledgementLevel.Accepted"/> fails by it: it completes, and <see cref="SendFailed"/> tells of it.
    /// </summary>
    public ValueTask DisposeAsync() => new(DisposeWithinAsync(ClosingTime));

    /// <summary>
    /// As <see cref="DisposeAsync()"/>, for callers that cannot await it: the calling thread waits until what was sent before has been
    /// written and answered, for two seconds at most. When this returns, the client is disconnected, and the channel may be disposed of.
    /// </summary>
    public void Dispose()
    {
        var disposing = DisposeWithinAsync(BlockingTime);

        // Half as long again for letting go of a stream that does not end by itself. It goes on without this thread.
        if (Task.WaitAny([disposing], BlockingTime * 1.5) == 0)
        {
            disposing.GetAwaiter().GetResult();
        }

        _hasEnded = true;
    }

    private static EventBusException Disconnected(Exception? reason) => new(
        StatusCode.Unavailable, reason is null ? "The client is disconnected." : $"The client is disconnected: {reason.Message}", null, reason)
    {
        IsEndedByOwner = reason is null,
    };

    // The answer to a send that was left when the client ended, and of which SendFailed has told.
    private static Outcome Left(EventBusException exception) => new() { StatusCode = (int)exception.StatusCode };

    private async Task DisposeWithinAsync(TimeSpan closingTime)
    {
        lock (_connectionLock)
        {
            _isDisposed = true;
        }

        await EndAsync(closingTime, CancellationToken.None).ConfigureAwait(false);
        _hasEnded = true;
        _metrics.Dispose();
    }

    private async Task EndAsync(TimeSpan closingTime, CancellationToken cancellationToken)
    {
        CancellationTokenSource? stopping;
        Task running;
        lock (_connectionLock)
        {
            (stopping, running) = (_stopping, _running);
            _stopping = null;
        }

        if (stopping is null)
        {
            // Somebody else is at it, or it is done.
            await running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        if (_link is { HasEnded: false } link)
        {
            using var closing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            closing.CancelAfter(closingTime);
            await link.CloseAsync(Disconnected(null), closing.Token).ConfigureAwait(false);
        }

        await stopping.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
        stopping.Dispose();
    }

    // Whoever sent it, and waits for no more than that it is accepted, need not be told by an exception that the owner of the client
    // ended it: SendFailed tells it. An async void method, which is what a handler of the type Action<...> is, would end
    // the process by it. Who waits for more than that must not go on as if it had come.
    private bool IsTold(EventBusException exception, bool wantsMore, bool isInHandler) =>
        exception.IsEndedByOwner && !wantsMore && (_isDisposed || isInHandler);

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_isDisposed && !HandlerFlow.IsInside, this);

    private void Stop(Connecting begun, List<PendingCommand> left, Exception? reason)
    {
        var disconnected = Disconnected(reason);
        try
        {
            LetGo(begun, left, disconnected);
            _logger.ConnectionChanged(EventBusConnectionState.Disconnected, reason?.Message ?? "");
            WriteLeftOut(nameof(EventBusLog.SendFailed), _failedSends.TakeRest());
            WriteLeftOut(nameof(EventBusLog.EventsDropped), _losses.TakeRest());
        }
        finally
        {
            // Whatever has been thrown: who disconnects, and who connects again, waits for this.
            begun.First.TrySetException(disconnected);
            _ = begun.First.Task.Exception;
            lock (_connectionLock)
            {
                // Together: a handler that is told, and connects again, finds nothing left of this one. Here it is only put into the queue.
                Raise(ConnectionChanged, new EventBusConnectionChange(EventBusConnectionState.Disconnected, reason));
                begun.Over.SetResult();
            }
        }
    }

    private void LetGo(Connecting begun, List<PendingCommand> left, EventBusException disconnected)
    {
        Volatile.Write(ref _link, null);
        CancellationTokenSource? unused = null;
        lock (_connectionLock)
        {
            // Whoever ends it has taken the source, and somebody may have begun the next connection already.
            if (_stopping == begun.Stopping)
            {
                (unused, _stopping) = (_stopping, null);
            }
        }

        unused?.Dispose();

        // Before anybody is told that a send was left.
        Volatile.Write(ref _state, (int)EventBusConnectionState.Disconnected);
        foreach (var command in left.Concat(_queue.Close(disconnected)))
        {
            Fail(command, disconnected);
        }

        foreach (var receiver in _receivers.Values)
        {
            Remove(receiver);
            receiver.End(disconnected);
        }
    }
}
