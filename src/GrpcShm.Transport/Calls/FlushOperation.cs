using System.IO.Pipelines;

namespace GrpcShm.Transport.Calls;

/// <summary>A flush that waits for credit or for room in the ring.</summary>
internal sealed class FlushOperation(CallStream call) : CallOperation<FlushResult>(call)
{
    private FlushResult _result;

    /// <summary>Ends the wait, if there is one. Any thread; of several threads one ends it.</summary>
    public void Wake(bool isCompleted = true, bool isCanceled = false, bool byToken = false)
    {
        if (TryEnd(byToken))
        {
            _result = new FlushResult(isCanceled, isCompleted);
            Schedule();
        }
    }

    protected override void CancelByToken() => Call.Output.CancelFlush(byToken: true);

    protected override FlushResult TakeResult() => _result;
}
