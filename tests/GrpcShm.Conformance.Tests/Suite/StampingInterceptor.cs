using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Core.Interceptors;
using GrpcShm.TestHost;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>The client's interceptor: adds a stamp to every call, which the server's interceptor sends back.</summary>
internal sealed class StampingInterceptor : Interceptor
{
    private readonly ConcurrentBag<string> _methods = [];

    public string Stamp { get; } = Guid.NewGuid().ToString("N");

    public IEnumerable<string> Methods => _methods;

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncUnaryCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, Stamped(context));

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(Stamped(context));

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, Stamped(context));

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(Stamped(context));

    private ClientInterceptorContext<TRequest, TResponse> Stamped<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context)
        where TRequest : class
        where TResponse : class
    {
        _methods.Add(context.Method.Name);
        var headers = new Metadata { { MetadataKeys.ClientStamp, Stamp } };
        return new(context.Method, context.Host, context.Options.WithHeaders(headers));
    }
}
