using Grpc.Core;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace GrpcShm.EventBus.Client;

/// <summary>The pipelines of a client whose options name none.</summary>
internal static class DefaultPipelines
{
    private static readonly StatusCode[] Final =
    [
        StatusCode.Unimplemented, StatusCode.Unauthenticated, StatusCode.PermissionDenied, StatusCode.InvalidArgument,
    ];

    public static ResiliencePipeline Connecting(CircuitBreakerStateProvider breaker)
    {
        var mayRetry = new PredicateBuilder().Handle<Exception>(MayRetry);
        // Failures in the place of sessions say nothing about the hub's address, which answers. They come one behind
        // the other, and would open the breaker by themselves: then the client would wait for the breaker, too.
        var mayBreak = new PredicateBuilder().Handle<Exception>(
            exception => MayRetry(exception) && exception is not EventBusException { IsInPlaceOfSession: true });
        return new ResiliencePipelineBuilder()
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = mayRetry,
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                Delay = TimeSpan.FromMilliseconds(50),
                MaxDelay = TimeSpan.FromSeconds(5),
                UseJitter = true,
            })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                ShouldHandle = mayBreak,
                FailureRatio = 0.5,
                MinimumThroughput = 4,
                SamplingDuration = TimeSpan.FromSeconds(30),
                BreakDuration = TimeSpan.FromSeconds(2),
                StateProvider = breaker,
            })
            .Build();
    }

    public static ResiliencePipeline Sending() => new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<EventBusException>(
                exception => !exception.IsTooLarge
                    && exception.StatusCode is StatusCode.NotFound or StatusCode.ResourceExhausted),
            MaxRetryAttempts = 3,
            BackoffType = DelayBackoffType.Exponential,
            Delay = TimeSpan.FromMilliseconds(50),
            UseJitter = true,
        })
        .Build();

    private static bool MayRetry(Exception exception) => exception is not OperationCanceledException
        and not ObjectDisposedException
        && !(exception is RpcException failure && Final.Contains(failure.StatusCode))
        && !(exception is EventBusException refusal && Final.Contains(refusal.StatusCode));
}
