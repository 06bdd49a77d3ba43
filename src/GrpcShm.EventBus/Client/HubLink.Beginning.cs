using System.Runtime.CompilerServices;
using Grpc.Core;
using GrpcShm.EventBus.Flows;

namespace GrpcShm.EventBus.Client;

// How a span of the link begins, and who waits for its first session.
internal sealed partial class HubLink
{
    /// <summary>Connects, or waits for the caller that is connecting.</summary>
    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        LinkSpan joined;
        LinkSpan? begun = null;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(end.IsDisposed, typeof(EventClient));
            joined = _span ?? (begun = AddSpan());
            joined.Callers++;
        }

        if (begun is not null)
        {
            Begin(begun);
        }

        var connected = joined.First.Task;
        try
        {
            await connected.WaitAsync(options.ConnectTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            var failure = failures.Last;
            if (await LeaveAsync(joined).ConfigureAwait(false))
            {
                return;
            }

            throw new EventBusException(
                StatusCode.Unavailable,
                $"The hub could not be reached within {options.ConnectTimeout.TotalSeconds:0.###} s: "
                + (failure is null ? "no answer. Is its process running?" : failures.Describe(failure)),
                null,
                HubFailure.CauseOf(failure));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await LeaveAsync(joined).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Begins to connect, if the client connects by itself and this is its first use, or the first one after attempts
    /// that have ended and a pause. Sends and subscriptions wait for the connection from here on.
    /// </summary>
    public void BeginByItself()
    {
        if (_beginsByItself)
        {
            BeginUnlessItPauses();
        }
    }

    // A caller gives up waiting. Others may wait for the same span, and the sends and subscriptions of a client that
    // connects by itself do not depend on a caller. A session that was opened at the last moment is in use already.
    // Returns whether the span has had a session.
    private async Task<bool> LeaveAsync(LinkSpan left)
    {
        lock (_lock)
        {
            left.Callers--;
            var isConnected = left.First.Task.IsCompletedSuccessfully;
            if (isConnected || _connectsByItself || left.Callers > 0 || _span != left)
            {
                return isConnected;
            }

            _span = null;
        }

        await EndAsync(left, options.ClosingTime, CancellationToken.None).ConfigureAwait(false);
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void BeginUnlessItPauses()
    {
        LinkSpan begun;
        lock (_lock)
        {
            if (!_beginsByItself || end.IsDisposed || Environment.TickCount64 < _pausesUntil)
            {
                return;
            }

            begun = AddSpan();
        }

        Begin(begun);
    }

    // Under the lock.
    private LinkSpan AddSpan()
    {
        if (_beginsByItself)
        {
            // Nothing is left of a span before. A user that comes from here on does not begin one, and must not be
            // refused.
            queue.Open();
        }

        (_beginsByItself, _beginsAgain) = (false, false);
        var begun = new LinkSpan(new CancellationTokenSource(), _running);
        (_span, _running) = (begun, begun.Over.Task);
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
}
