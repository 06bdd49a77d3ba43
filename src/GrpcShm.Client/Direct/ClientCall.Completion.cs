using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Direct;

/// <summary>What is done once it is decided what comes of the call. By the completion.</summary>
internal sealed partial class ClientCall
{
    /// <summary>Tells the request what came of it. The caller's continuation runs in here.</summary>
    private void Complete()
    {
        // Waits for a cancellation that is just under way: it must not reach the next use of this call.
        _cancellation.Dispose();
        var pending = _pending!;
        var owner = _owner!;

        // It will have the response, which nothing here may hold: see TakeResponse.
        _pending = null;
        try
        {
            Complete(pending, owner);
        }
        catch (Exception exception)
        {
            // A listener of metrics has thrown while the call was taken off its connection. Nobody else would tell the caller.
            pending.TrySetException(exception);
        }
    }

    private void Complete(PendingRequest pending, DirectConnection owner)
    {
        switch (_outcome)
        {
            case Outcome.Response:
                pending.TrySetResult(TakeResponse());
                break;
            case Outcome.Cancellation:
                EndResponse(isRead: false);
                pending.TrySetCanceled(pending.CancellationToken);
                break;
            default:
                var failure = _failure!;
                var isRefused = _error == CallError.Refused;
                var isWorthAnother = IsWorthAnother();
                EndResponse(isRead: false);
                if (isWorthAnother)
                {
                    owner.TryElsewhere(pending, isRefused);
                }
                else
                {
                    pending.TrySetException(CallFailures.Sending(failure));
                }

                break;
        }
    }

    /// <summary>Whether the server has not begun the call for sure, and the request can be sent again.</summary>
    private bool IsWorthAnother()
    {
        if (Interlocked.CompareExchange(ref _progress, Progress.FailedBefore, Progress.None) == Progress.None)
        {
            return true;
        }

        if (_hasResponse || !Volatile.Read(ref _canRepeatContent))
        {
            return false;
        }

        return _error == CallError.Refused || _owner!.HasNotBegun(CallStream.HasBegun);
    }
}
