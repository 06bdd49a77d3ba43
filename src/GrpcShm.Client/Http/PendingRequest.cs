using GrpcShm.Client.Direct;

namespace GrpcShm.Client.Http;

/// <summary>
/// A request that waits for its response. The caller's continuation runs on the thread of the completion, which is
/// chosen with care.
/// </summary>
internal sealed class PendingRequest(
    HttpRequestMessage request, DirectHandler handler, bool isObserved, CancellationToken cancellationToken)
    : TaskCompletionSource<HttpResponseMessage>, IPendingCall
{
    // When the request began to wait for a connection, or for room on one; 0 if nobody listens.
    private long _queuedSince;

    public HttpRequestMessage Request => request;

    /// <summary>
    /// True if listeners have been told of the request, so that it must not go where they would be told again.
    /// </summary>
    public bool IsObserved => isObserved;

    public ClientCallPool Carriers => handler.Carriers;

    public bool WaitsForServer => GrpcRequests.WaitsForServer(request);

    public string? WhyNotCarried { get; set; }

    public CancellationToken CancellationToken => cancellationToken;

    public int Failures { get; set; }

    public CallTarget? FindTarget() => handler.FindTarget(request);

    // For a request over HTTP/2 this is reported there.
    public void EnterQueue() => _queuedSince = isObserved ? handler.Diagnostics.BeginQueueing() : 0;

    public void LeaveQueue()
    {
        handler.Diagnostics.EndQueueing(request, _queuedSince);
        _queuedSince = 0;
    }

    public Task SendElsewhereAsync(SendResult reason) => handler.SendElsewhereAsync(this, reason);

    public void Fail(Exception failure) => TrySetException(CallFailures.CreateSending(failure));
}
