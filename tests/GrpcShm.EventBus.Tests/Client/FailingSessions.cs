using Grpc.Core;
using Grpc.Core.Interceptors;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>Counts the sessions that a client opens, and lets those fail that the test says.</summary>
/// <param name="fail">Says of each attempt, by its number from 1, how it fails; none if it does not.</param>
internal sealed class FailingSessions(Func<int, Status?> fail) : Interceptor
{
    private int _attempts;

    /// <summary>How many attempts have begun.</summary>
    public int Attempts => Volatile.Read(ref _attempts);

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation) =>
        fail(Interlocked.Increment(ref _attempts)) is { } status
            ? throw new RpcException(status)
            : continuation(context);
}
