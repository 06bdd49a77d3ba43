using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// A call that this side does not take. It stays until its sender has ended it, too, and drops the received parts.
/// </summary>
internal sealed class RefusedCall : ICallStreamOwner
{
    private static readonly RunProfile NeverRuns = new(RunMode.ThreadPool);

    public RefusedCall()
    {
        // Not counted: nobody waits for a client that never ends the call.
        Stream = new CallStream(this, NeverRuns, isCounted: false);
        Stream.Discard();
    }

    /// <summary>The stream of the call.</summary>
    public CallStream Stream { get; }

    public bool IsInputTimed => false;

    public void OnHeaders(ref HeaderReader headers)
    {
    }

    public void OnTrailers(ref HeaderReader trailers)
    {
    }

    public void OnData(int count, bool hasEnded)
    {
    }

    public void OnRefused(CallError error, Exception exception)
    {
    }

    public void OnReceived(bool hasEnded)
    {
    }

    public void OnFailed(CallError error, Exception exception, bool byPeer) => Stream.FailBodies(exception, byPeer);

    public void OnRead(long total)
    {
    }

    public void OnOverdue(Overdue overdue, uint id)
    {
    }

    public void OnLeft(bool byReceiver)
    {
    }
}
