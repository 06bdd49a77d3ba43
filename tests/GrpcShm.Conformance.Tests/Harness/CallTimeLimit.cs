using System.Runtime.CompilerServices;
using Grpc.Core;

namespace GrpcShm.Conformance.Tests.Harness;

/// <summary>The bound of every wait, for calls, and for failures that a call has to end with.</summary>
internal static class CallTimeLimit
{
    public static Task<T> InTime<T>(
        this AsyncUnaryCall<T> call, [CallerArgumentExpression(nameof(call))] string? what = null) =>
        call.ResponseAsync.InTime(what);

    public static Task<T> InTime<TRequest, T>(
        this AsyncClientStreamingCall<TRequest, T> call,
        [CallerArgumentExpression(nameof(call))] string? what = null) =>
        call.ResponseAsync.InTime(what);

    /// <summary>Waits for the failure that a call has to end with.</summary>
    public static Task<RpcException> FailsInTime(
        this Task task, [CallerArgumentExpression(nameof(task))] string? what = null) =>
        Assert.ThrowsAsync<RpcException>(() => task.InTime(what));

    public static Task<RpcException> FailsInTime<T>(
        this AsyncUnaryCall<T> call, [CallerArgumentExpression(nameof(call))] string? what = null) =>
        call.ResponseAsync.FailsInTime(what);
}
