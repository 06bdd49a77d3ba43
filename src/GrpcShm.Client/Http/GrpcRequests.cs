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
    /// True if a request was not sent since there is no server that takes connections at present.
    /// </summary>
    public static bool HasNoServer(HttpRequestException failure) =>
        failure is { HttpRequestError: HttpRequestError.ConnectionError, InnerException: { } cause }
        && SharedMemoryConnector.MayBecomeReady(cause);
}
