using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>A call that this side does not take. It stays until its sender has ended, too, and drops what comes.</summary>
internal sealed class RefusedCall : CallStream
{
    private static readonly RunProfile NeverRuns = new(RunMode.ThreadPool);

    public RefusedCall()
        : base(NeverRuns) => Discard();

    /// <summary>A client that never ends it is not waited for.</summary>
    public override bool IsCounted => false;

    protected override void OnHeaders(ref HeaderReader headers)
    {
    }

    protected override void OnTrailers(ref HeaderReader trailers)
    {
    }

    protected override void OnReceived(bool hasEnded)
    {
    }

    protected override void OnFailed(CallError error, Exception exception, bool byPeer) => FailBodies(exception, byPeer);
}
