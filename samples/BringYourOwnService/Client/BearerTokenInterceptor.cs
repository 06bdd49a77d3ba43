using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Samples.BringYourOwnService.Client;

/// <summary>Adds the key to each call.</summary>
internal sealed class BearerTokenInterceptor(string token) : Interceptor
{
    private int _calls;

    /// <summary>The number of calls through this interceptor.</summary>
    public int Calls => Volatile.Read(ref _calls);

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        Interlocked.Increment(ref _calls);
        var headers = new Metadata();
        foreach (var entry in context.Options.Headers ?? [])
        {
            headers.Add(entry);
        }

        headers.Add("authorization", $"Bearer {token}");
        return continuation(request, new(context.Method, context.Host, context.Options.WithHeaders(headers)));
    }
}
