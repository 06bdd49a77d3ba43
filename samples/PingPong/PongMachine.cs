using GrpcShm.EventBus;
using XStateNet.Events.V1;

namespace Samples.PingPong;

/// <summary>The machine 'pong', which lives beside the hub: it sends each ball back.</summary>
internal sealed class PongMachine : IAsyncDisposable
{
    private readonly LocalMachine _machine;

    public PongMachine(EventHub hub) => _machine = hub.AddMachine("pong", HandleAsync);

    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    private async ValueTask<Acknowledgement?> HandleAsync(Event ping, CancellationToken cancellationToken)
    {
        await _machine.SendAsync(
            new Event { Name = "PONG", Source = "pong", Target = ping.Source, Payload = ping.Payload }, cancellationToken);
        return null;
    }
}
