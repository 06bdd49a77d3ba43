using System.IO.Pipelines;

namespace GrpcShm.Transport.Calls;

/// <summary>A read that waits for data.</summary>
internal sealed class BodyRead(CallStream call, ReceivedBody body) : CallOperation<ReadResult>(call)
{
    /// <summary>Ends the wait, if there is one. Under the body's gate.</summary>
    public void Wake(bool byToken = false)
    {
        if (TryEnd(byToken))
        {
            Schedule();
        }
    }

    protected override void CancelByToken() => body.CancelRead();

    // The token may have fired because the call has failed.
    protected override Exception TakeCanceled(CancellationToken token)
    {
        body.ThrowIfSettled();
        return base.TakeCanceled(token);
    }

    protected override ReadResult TakeResult() => body.TakeAwaited();
}
