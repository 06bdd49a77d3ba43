using Grpc.Core;
using Grpc.Core.Interceptors;

namespace GrpcShm.Client.Native;

/// <summary>
/// Makes the calls of a client of the gRPC client factory, which makes channel and invoker by itself. As the innermost
/// interceptor it gets each call as the channel would get it. It makes those that can be framed here, and passes on the
/// others.
/// </summary>
internal sealed class NativeInterceptor(NativeChannel channel) : Interceptor
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        BlockingUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        using var call = NativeCalls.TryBeginUnary(channel, context.Method, context.Options, request);
        return call is null ? continuation(request, context) : call.ResponseAsync.GetAwaiter().GetResult();
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncUnaryCallContinuation<TRequest, TResponse> continuation) =>
        NativeCalls.TryBeginUnary(channel, context.Method, context.Options, request)
        ?? continuation(request, context);

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation) =>
        NativeCalls.TryBeginServerStreaming(channel, context.Method, context.Options, request)
        ?? continuation(request, context);

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation) =>
        NativeCalls.TryBeginClientStreaming(channel, context.Method, context.Options) ?? continuation(context);

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation) =>
        NativeCalls.TryBeginDuplexStreaming(channel, context.Method, context.Options) ?? continuation(context);
}
