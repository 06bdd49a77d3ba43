using Grpc.Core;
using Grpc.Core.Interceptors;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>Notes when a call enters and leaves it.</summary>
internal sealed class NotingInterceptor(Scene scene, string name, ScopedThing thing) : Interceptor, IDisposable
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        AroundAsync(() => continuation(request, context));

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        AroundAsync(() => continuation(requestStream, context));

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        AroundAsync(async () =>
        {
            await continuation(request, responseStream, context);
            return true;
        });

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        AroundAsync(async () =>
        {
            await continuation(requestStream, responseStream, context);
            return true;
        });

    public void Dispose() => scene.Note($"interceptor {name} has been disposed of, with {thing.GetType().Name}");

    private async Task<T> AroundAsync<T>(Func<Task<T>> next)
    {
        scene.Note($"into interceptor {name}");
        try
        {
            return await next();
        }
        finally
        {
            scene.Note($"out of interceptor {name}");
        }
    }
}
