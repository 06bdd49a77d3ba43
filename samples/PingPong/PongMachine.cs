using GrpcShm.EventBus;

namespace Samples.PingPong;

/// <summary>The machine 'pong', in the hub's process: it sends each ball back.</summary>
internal sealed class PongMachine(EventHub hub) : IAsyncDisposable
{
    private LocalMachine? _machine;

    public async Task StartAsync() => _machine = await hub.RegisterMachineAsync("pong", HandleAsync);

    public ValueTask DisposeAsync() => _machine?.DisposeAsync() ?? ValueTask.CompletedTask;

    private Task HandleAsync(BusEvent ping) =>
        hub.SendEventAsync("pong", ping.SourceMachineId, "PONG", ping.RawPayload);
}
