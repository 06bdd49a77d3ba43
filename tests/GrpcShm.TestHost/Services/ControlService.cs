using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.TestHost.Services;

/// <summary>Implements <c>control.proto</c>.</summary>
internal sealed class ControlService(
    CallRegistry calls, ConnectionRegistry connections, GateRegistry gates, PingRegistry pings) : Control.ControlBase
{
    public override Task<StatsResponse> Stats(Empty request, ServerCallContext context) =>
        Task.FromResult(new StatsResponse
    {
        CallsStarted = calls.Started,
        CallsInFlight = calls.InFlight,
        CallsCancelled = calls.Cancelled,
        ConnectionsOpened = connections.Opened,
        ConnectionsOpen = connections.Open,
        CallsBroken = calls.Broken,
        BytesProduced = calls.BytesProduced,
    });

    public override async Task<Empty> AwaitCall(AwaitCallRequest request, ServerCallContext context)
    {
        await calls[request.CallId].WhenAsync(request.Phase).WaitAsync(context.CancellationToken);
        return new Empty();
    }

    public override async Task<Empty> AwaitConnectionClosed(ConnectionRequest request, ServerCallContext context)
    {
        await connections.WhenClosedAsync(request.ConnectionId).WaitAsync(context.CancellationToken);
        return new Empty();
    }

    public override async Task<AwaitPingsResponse> AwaitPings(AwaitPingsRequest request, ServerCallContext context)
    {
        var count = await pings.WhenAsync(
            request.ConnectionId, request.Acknowledgements, request.Count, context.CancellationToken);
        return new AwaitPingsResponse { Count = count };
    }

    public override Task<Empty> OpenGate(OpenGateRequest request, ServerCallContext context)
    {
        gates.Open(request.Gate);
        return Task.FromResult(new Empty());
    }
}
