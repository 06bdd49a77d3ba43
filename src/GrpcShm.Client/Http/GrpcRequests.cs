using GrpcShm.Client.Http2;
using GrpcShm.Transport.Rendezvous;

namespace GrpcShm.Client.Http;

/// <summary>Tells gRPC's requests from others, and reads what gRPC says of a call beside its headers.</summary>
internal static class GrpcRequests
{
    private const string MediaType = "application/grpc";

    // grpc-dotnet sets this option on the request of each call with WithWaitForReady(). Only its own load balancing
    // reads the option, and that does not know whether a server listens here.
    private static readonly HttpRequestOptionsKey<bool> WaitForReady = new("WaitForReady");

    /// <summary>True if a content is that of a gRPC call.</summary>
    public static bool IsOfCall(HttpContent? content) => content?.Headers.ContentType?.MediaType == MediaType;

    /// <summary>True if a request is a call that waits until there is a server.</summary>
    public static bool WaitsForServer(HttpRequestMessage request) =>
        IsOfCall(request.Content) && request.Options.TryGetValue(WaitForReady, out var waits) && waits;

    /// <summary>
    /// True if no server has taken a request since none takes connections at present, and the request can be sent.
    /// </summary>
    /// <param name="failure">The failure.</param>
    /// <param name="content">The content of the request.</param>
    public static bool HasNoServer(HttpRequestException failure, HttpContent? content)
    {
        if (failure is { HttpRequestError: HttpRequestError.ConnectionError, InnerException: { } cause }
            && SharedMemoryConnector.MayBecomeReady(cause))
        {
            return true;
        }

        // A server that leaves in order before it has begun has taken nothing. If it has no successor, the connection
        // fails with this reason while it is read: see HandoverStream.
        return content is not PushedContent { CanBeSent: false } && SharedMemoryConnector.IsForLackOfServer(failure);
    }
}
