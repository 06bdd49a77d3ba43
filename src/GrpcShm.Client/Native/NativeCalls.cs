using Grpc.Core;

namespace GrpcShm.Client.Native;

/// <summary>
/// Begins the calls of a channel. A call that needs nothing that only grpc-dotnet has is framed here, unless the server
/// is known to speak HTTP/2 alone. For all others each method returns nothing, and nothing has been done.
/// </summary>
internal static class NativeCalls
{
    public static AsyncUnaryCall<TResponse>? TryBeginUnary<TRequest, TResponse>(
        NativeChannel channel, Method<TRequest, TResponse> method, in CallOptions options, TRequest request)
        where TRequest : class
        where TResponse : class
    {
        if (channel.TryCarry(method, options) is not { } carried)
        {
            return null;
        }

        var call = new UnaryCall<TRequest, TResponse>(channel, carried, options, request);
        return call.TryBegin()
            ? new AsyncUnaryCall<TResponse>(call.Response, GetHeaders, GetStatus, GetTrailers, Dispose, call)
            : null;
    }

    public static AsyncServerStreamingCall<TResponse>? TryBeginServerStreaming<TRequest, TResponse>(
        NativeChannel channel, Method<TRequest, TResponse> method, in CallOptions options, TRequest request)
        where TRequest : class
        where TResponse : class
    {
        if (channel.TryCarry(method, options) is not { } carried)
        {
            return null;
        }

        var call = new ServerStreamingCall<TRequest, TResponse>(channel, carried, options, request);
        return call.TryBegin()
            ? new AsyncServerStreamingCall<TResponse>(call, GetHeaders, GetStatus, GetTrailers, Dispose, call)
            : null;
    }

    public static AsyncClientStreamingCall<TRequest, TResponse>? TryBeginClientStreaming<TRequest, TResponse>(
        NativeChannel channel, Method<TRequest, TResponse> method, in CallOptions options)
        where TRequest : class
        where TResponse : class
    {
        if (channel.TryCarry(method, options) is not { } carried)
        {
            return null;
        }

        var call = new ClientStreamingCall<TRequest, TResponse>(channel, carried, options);
        return call.TryBegin()
            ? new AsyncClientStreamingCall<TRequest, TResponse>(
                call.Requests, call.Response, GetHeaders, GetStatus, GetTrailers, Dispose, call)
            : null;
    }

    public static AsyncDuplexStreamingCall<TRequest, TResponse>? TryBeginDuplexStreaming<TRequest, TResponse>(
        NativeChannel channel, Method<TRequest, TResponse> method, in CallOptions options)
        where TRequest : class
        where TResponse : class
    {
        if (channel.TryCarry(method, options) is not { } carried)
        {
            return null;
        }

        var call = new DuplexStreamingCall<TRequest, TResponse>(channel, carried, options);
        return call.TryBegin()
            ? new AsyncDuplexStreamingCall<TRequest, TResponse>(
                call.Requests, call, GetHeaders, GetStatus, GetTrailers, Dispose, call)
            : null;
    }

    private static Task<Metadata> GetHeaders(object call) => ((NativeCall)call).GetHeadersAsync();

    private static Status GetStatus(object call) => ((NativeCall)call).GetStatus();

    private static Metadata GetTrailers(object call) => ((NativeCall)call).GetTrailers();

    private static void Dispose(object call) => ((NativeCall)call).Dispose();
}
