namespace GrpcShm.Client.Direct;

/// <summary>
/// A request that waits for its response, over as many attempts as it takes. Its continuations run where the
/// completion runs: that place is chosen with care.
/// </summary>
internal sealed class PendingRequest(
    HttpRequestMessage request, HttpMessageHandler handler, bool isObserved, CancellationToken cancellationToken)
    : TaskCompletionSource<HttpResponseMessage>
{
    public HttpRequestMessage Request => request;

    /// <summary>What sends it, and must not be taken for forgotten as long as there is no response.</summary>
    public HttpMessageHandler Handler => handler;

    /// <summary>Whether somebody is told of it already, so that it must not go where it would be told again.</summary>
    public bool IsObserved => isObserved;

    /// <summary>Since when it waits for a connection, or for room on one; 0 if nobody wants to know.</summary>
    public long QueuedSince { get; set; }

    /// <summary>Why direct mode does not carry it, once that has been found out.</summary>
    public string? WhyNotCarried { get; set; }

    /// <summary>Gives it up, as long as there is no response.</summary>
    public CancellationToken CancellationToken => cancellationToken;

    /// <summary>How often it has been begun in vain.</summary>
    public int Failures { get; set; }
}
