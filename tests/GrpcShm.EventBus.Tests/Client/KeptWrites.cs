using Grpc.Core;
using Grpc.Core.Interceptors;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>
/// Keeps the writes of a client's first session: their messages arrive, but not even the disposal of the call ends
/// them. So can a <see cref="SocketsHttpHandler"/>, if the server ends the call during a large write.
/// </summary>
internal sealed class KeptWrites : Interceptor
{
    private int _calls;

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        var call = continuation(context);
        return Interlocked.Increment(ref _calls) > 1
            ? call
            : new AsyncDuplexStreamingCall<TRequest, TResponse>(
                new Writer<TRequest>(call.RequestStream),
                call.ResponseStream,
                call.ResponseHeadersAsync,
                call.GetStatus,
                call.GetTrailers,
                call.Dispose);
    }

    private sealed class Writer<T>(IClientStreamWriter<T> writer) : IClientStreamWriter<T>
    {
        private readonly TaskCompletionSource _never = new();

        public WriteOptions? WriteOptions
        {
            get => writer.WriteOptions;
            set => writer.WriteOptions = value;
        }

        public Task CompleteAsync() => writer.CompleteAsync();

        public async Task WriteAsync(T message)
        {
            await writer.WriteAsync(message);
            await _never.Task;
        }
    }
}
