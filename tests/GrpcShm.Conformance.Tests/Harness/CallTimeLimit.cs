using System.Runtime.CompilerServices;
using Grpc.Core;

namespace GrpcShm.Conformance.Tests.Harness;

/// <summary>The time limit of every wait for a call, and for the failure with which a call must end.</summary>
internal static class CallTimeLimit
{
    public static Task<T> InTime<T>(
        this AsyncUnaryCall<T> call, [CallerArgumentExpression(nameof(call))] string? what = null) =>
        call.ResponseAsync.InTime(what);

    public static Task<T> InTime<TRequest, T>(
        this AsyncClientStreamingCall<TRequest, T> call,
        [CallerArgumentExpression(nameof(call))] string? what = null) =>
        call.ResponseAsync.InTime(what);

    /// <summary>Waits for the failure with which a call must end.</summary>
    public static Task<RpcException> FailsInTime(
        this Task task, [CallerArgumentExpression(nameof(task))] string? what = null) =>
        Assert.ThrowsAsync<RpcException>(() => task.InTime(what));

    public static Task<RpcException> FailsInTime<T>(
        this AsyncUnaryCall<T> call, [CallerArgumentExpression(nameof(call))] string? what = null) =>
        call.ResponseAsync.FailsInTime(what);
}
