using Grpc.Core;

namespace GrpcShm.Client.Native;

/// <summary>
/// Makes the calls of generated clients: by itself those that can be framed here, the others by grpc-dotnet, over the
/// same connections.
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
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        NativeCalls.TryBeginUnary(channel, method, options, request)
        ?? channel.Fallback.AsyncUnaryCall(method, host, options, request);

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        NativeCalls.TryBeginServerStreaming(channel, method, options, request)
        ?? channel.Fallback.AsyncServerStreamingCall(method, host, options, request);

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        NativeCalls.TryBeginClientStreaming(channel, method, options)
        ?? channel.Fallback.AsyncClientStreamingCall(method, host, options);

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        NativeCalls.TryBeginDuplexStreaming(channel, method, options)
        ?? channel.Fallback.AsyncDuplexStreamingCall(method, host, options);
}
