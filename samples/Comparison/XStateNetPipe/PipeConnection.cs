using System.Text.Json;
using GrpcShm.Samples.Comparison.Protos;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>A connection to the hub for calls, and one more for each machine that joins.</summary>
internal sealed class PipeConnection(string pipeName) : IConnection
{
    private readonly PipeMeasuredClient _service = new(pipeName, $"client-{Guid.NewGuid():N}");

    public Measured.MeasuredClient Service => _service;

    public async Task<IEventMachine> JoinEventsAsync(
        string machineId, Action<ReadOnlyMemory<byte>> handler, bool usesLanes) =>
        new Machine(await PipeClient.ConnectAsync(
            pipeName,
            machineId,
            received => handler(((JsonElement)received.Payload!).GetBytesFromBase64()),
            ended: static _ => { }));

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    private sealed class Machine(PipeClient client) : IEventMachine
    {
        public Task SendAsync(string targetId, byte[] payload) => client.SendAsync(targetId, "DATA", payload);

        public ValueTask DisposeAsync() => client.DisposeAsync();
    }
}
