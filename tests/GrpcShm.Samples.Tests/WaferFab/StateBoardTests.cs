using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus;
using Samples.WaferFab.Scheduling;
using Samples.WaferFab.View;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.Samples.Tests.WaferFab;

/// <summary>The view of the fab when the hub does not answer.</summary>
public sealed class StateBoardTests
{
    [Fact]
    public async Task Take_HubDoesNotAnswer_HasNoPicture()
    {
        var hub = new Contract.EventBusClient(new SilentHub());
        await using var bus = new EventClient(hub);
        var board = new StateBoard(bus, hub, new Scheduler(bus, wafers: 1));

        Assert.Null(await board.TakeAsync(Stopwatch.StartNew()).AsTask().InTime());
        var failure = await Assert.ThrowsAsync<RpcException>(() => board.CountEventsAsync().InTime());
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
    }

    [Fact]
    public async Task Show_HubDoesNotAnswer_LeavesTheLineOutAndEndsWithTheRun()
    {
        var run = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var output = new StringWriter();

        await new PlainView(output).ShowAsync(
            () =>
            {
                run.TrySetResult();
                return ValueTask.FromResult<FabPicture?>(null);
            },
            run.Task).InTime();

        Assert.Empty(output.ToString());
    }

    /// <summary>A hub that hangs. So a call ends at its deadline; here this comes at once.</summary>
    private sealed class SilentHub : CallInvoker
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            var response = new TaskCompletionSource<TResponse>();
            if (options.Deadline is not null)
            {
                response.SetException(new RpcException(new Status(StatusCode.DeadlineExceeded, "")));
            }

            return new AsyncUnaryCall<TResponse>(
                response.Task, Task.FromResult(Metadata.Empty), () => Status.DefaultSuccess, () => [], () => { });
        }

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            throw new NotSupportedException();

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            throw new NotSupportedException();

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            throw new NotSupportedException();

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            throw new NotSupportedException();
    }
}
