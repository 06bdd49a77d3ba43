using Grpc.Core;
using Grpc.Core.Interceptors;

namespace GrpcShm.TestHost.Services;

/// <summary>
/// The server's interceptor: it stamps every answer, returns the metadata of the request if asked, and tracks the call.
/// It treats all four kinds of call in the same way.
/// </summary>
internal sealed class TrackingInterceptor(CallRegistry calls, GateRegistry gates) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        RunAsync(context, () => continuation(request, context));

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        RunAsync(context, () => continuation(requestStream, context));

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        RunAsync(context, () => WithoutResultAsync(continuation(request, responseStream, context)));

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        RunAsync(context, () => WithoutResultAsync(continuation(requestStream, responseStream, context)));

    private Task<T> RunAsync<T>(ServerCallContext context, Func<Task<T>> continuation)
    {
        // The control service of the test, and the gRPC project's own services, are not under test.
        if (!context.Method.StartsWith("/grpcshm.testing.v1.TestService/", StringComparison.Ordinal))
        {
            return continuation();
        }

        return calls.TrackAsync(context, async () =>
        {
            await EchoMetadataAsync(context);
            if (context.RequestHeaders.GetValue(MetadataKeys.Gate) is { } gate)
            {
                await gates.WaitAsync(gate, context.CancellationToken);
            }

            return await continuation();
        });
    }

    private static async Task EchoMetadataAsync(ServerCallContext context)
    {
        var headers = new Metadata();
        foreach (var entry in context.RequestHeaders)
        {
            if (entry.Key.StartsWith(MetadataKeys.EchoInitial, StringComparison.Ordinal))
            {
                headers.Add(entry);
            }
            else if (entry.Key.StartsWith(MetadataKeys.EchoTrailing, StringComparison.Ordinal))
            {
                context.ResponseTrailers.Add(entry);
            }
        }

        if (context.RequestHeaders.GetValue(MetadataKeys.ClientStamp) is { } stamp)
        {
            headers.Add(MetadataKeys.ServerStamp, stamp);
            context.ResponseTrailers.Add(MetadataKeys.ServerStamp, context.Method);
        }

        // Without such a request, the response can still consist of trailers only.
        if (headers.Count > 0)
        {
            await context.WriteResponseHeadersAsync(headers);
        }
    }

    private static async Task<bool> WithoutResultAsync(Task task)
    {
        await task;
        return true;
    }
}
