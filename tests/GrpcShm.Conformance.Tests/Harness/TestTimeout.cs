using System.Runtime.CompilerServices;
using Grpc.Core;

namespace GrpcShm.Conformance.Tests.Harness;

/// <summary>
/// The one time-out on every await. It is there to turn a hang into a failure that says where, not to measure: a busy
/// machine must never reach it.
/// </summary>
internal static class TestTimeout
{
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    public static async Task<T> Within<T>(this Task<T> task, [CallerArgumentExpression(nameof(task))] string? what = null)
    {
        await ((Task)task).Within(what);
        return await task;
    }

    public static async Task Within(this Task task, [CallerArgumentExpression(nameof(task))] string? what = null)
    {
        try
        {
            await task.WaitAsync(Default, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw new TimeoutException($"Not done within {Default}: {what}");
        }
    }

    public static Task<T> Within<T>(this AsyncUnaryCall<T> call, [CallerArgumentExpression(nameof(call))] string? what = null) =>
        call.ResponseAsync.Within(what);

    public static Task<T> Within<TRequest, T>(
        this AsyncClientStreamingCall<TRequest, T> call, [CallerArgumentExpression(nameof(call))] string? what = null) =>
        call.ResponseAsync.Within(what);

    /// <summary>Waits for the failure that a call has to end with.</summary>
    public static Task<RpcException> FailsWithin(this Task task, [CallerArgumentExpression(nameof(task))] string? what = null) =>
        Assert.ThrowsAsync<RpcException>(() => task.Within(what));

    public static Task<RpcException> FailsWithin<T>(
        this AsyncUnaryCall<T> call, [CallerArgumentExpression(nameof(call))] string? what = null) =>
        call.ResponseAsync.FailsWithin(what);

    /// <summary>For what sends no signal (the state of another process): asks again until it is so.</summary>
    public static async Task UntilAsync(
        Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        using var timer = new PeriodicTimer(PollInterval);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(Default);
        while (!await condition().Within(what))
        {
            try
            {
                await timer.WaitForNextTickAsync(timeout.Token);
            }
            catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"Did not come true within {Default}: {what}");
            }
        }
    }
}
