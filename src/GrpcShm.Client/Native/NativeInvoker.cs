using Grpc.Core;

namespace GrpcShm.Client.Native;

/// <summary>
/// Makes the calls of generated clients. A call that a live connection takes at once, and that needs nothing that only
/// grpc-dotnet has, is framed here. All others are made by grpc-dotnet, over the same connections.
/// </summary>
internal sealed class NativeInvoker(NativeChannel channel) : CallInvoker
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        using var call = AsyncUnaryCall(method, host, options, request);
        return call.ResponseAsync.GetAwaiter().GetResult();
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        if (channel.TryCarry(method, options) is { } carried)
        {
            var call = new UnaryCall<TRequest, TResponse>(channel, carried, options, request);
            if (call.TryBegin())
            {
                return new AsyncUnaryCall<TResponse>(
                    call.Response, GetHeaders, GetStatus, GetTrailers, Dispose, call);
            }
        }

        return channel.Fallback.AsyncUnaryCall(method, host, options, request);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        if (channel.TryCarry(method, options) is { } carried)
        {
            var call = new ServerStreamingCall<TRequest, TResponse>(channel, carried, options, request);
            if (call.TryBegin())
            {
                return new AsyncServerStreamingCall<TResponse>(
                    call, GetHeaders, GetStatus, GetTrailers, Dispose, call);
            }
        }

        return channel.Fallback.AsyncServerStreamingCall(method, host, options, request);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        if (channel.TryCarry(method, options) is { } carried)
        {
            var call = new ClientStreamingCall<TRequest, TResponse>(channel, carried, options);
            if (call.TryBegin())
            {
                return new AsyncClientStreamingCall<TRequest, TResponse>(
                    call.Requests, call.Response, GetHeaders, GetStatus, GetTrailers, Dispose, call);
            }
        }

        return channel.Fallback.AsyncClientStreamingCall(method, host, options);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        if (channel.TryCarry(method, options) is { } carried)
        {
            var call = new DuplexStreamingCall<TRequest, TResponse>(channel, carried, options);
            if (call.TryBegin())
            {
                return new AsyncDuplexStreamingCall<TRequest, TResponse>(
                    call.Requests, call, GetHeaders, GetStatus, GetTrailers, Dispose, call);
            }
        }

        return channel.Fallback.AsyncDuplexStreamingCall(method, host, options);
    }

    private static Task<Metadata> GetHeaders(object call) => ((NativeCall)call).GetHeadersAsync();

    private static Status GetStatus(object call) => ((NativeCall)call).GetStatus();

    private static Metadata GetTrailers(object call) => ((NativeCall)call).GetTrailers();

    private static void Dispose(object call) => ((NativeCall)call).Dispose();
}
