using GrpcShm.Client.Direct;

namespace GrpcShm.Client.Http;

/// <summary>
/// A request that waits for its response. Its continuations run where the completion runs: that place is chosen with
/// care.
/// </summary>
internal sealed class PendingRequest(
    HttpRequestMessage request, DirectHandler handler, bool isObserved, CancellationToken cancellationToken)
    : TaskCompletionSource<HttpResponseMessage>, IPendingCall
{
    // Since when it waits for a connection, or for room on one; 0 if nobody wants to know.
    private long _queuedSince;

    public HttpRequestMessage Request => request;

    /// <summary>Whether somebody is told of it already, so that it must not go where it would be told again.</summary>
    public bool IsObserved => isObserved;

    public string? WhyNotCarried { get; set; }

    public CancellationToken CancellationToken => cancellationToken;

    public int Failures { get; set; }

    public CallTarget? FindTarget() => handler.FindTarget(request);

    // Over HTTP/2 that is told there.
    public void EnterQueue() => _queuedSince = isObserved ? handler.Diagnostics.BeginToQueue() : 0;

    public void LeaveQueue()
    {
        handler.Diagnostics.EndToQueue(request, _queuedSince);
        _queuedSince = 0;
    }

    public Task SendElsewhereAsync(SendResult reason) => handler.SendElsewhereAsync(this, reason);

    public void Fail(Exception failure) => TrySetException(CallFailures.Sending(failure));
}
