using GrpcShm.EventBus;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>A machine of the XStateNet event service over gRPC.</summary>
internal sealed class EventBusMachine(EventClient client, string machineId) : IEventMachine
{
    public Task SendAsync(string targetId, byte[] payload) =>
        client.SendEventAsync(machineId, targetId, "DATA", payload);

    public ValueTask DisposeAsync() => client.DisposeAsync();
}
