using Grpc.Core;
using GrpcShm.EventBus;
using GrpcShm.Samples.Comparison.Protos;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>A channel, and the generated client and the event service over it.</summary>
internal sealed class GrpcConnection(ChannelBase channel, bool lends = false) : IConnection
{
    public Measured.MeasuredClient Service { get; } = new(channel);

    public CallInvoker? Loans { get; } = lends ? channel.CreateCallInvoker() : null;

    public async Task<IEventMachine> JoinEventsAsync(
        string machineId, Action<ReadOnlyMemory<byte>> handler, bool usesLanes)
    {
        var client = new EventClient(channel, new EventBusClientOptions
        {
            Name = machineId,
            ConnectTimeout = SampleProcess.StartTime,
            Lanes = usesLanes ? new SharedMemoryLanes() : null,
        });
        try
        {
            await client.ConnectAsync();
            await client.RegisterMachineAsync(machineId, received =>
            {
                handler(received.RawPayload.Data.Memory);
                return Task.CompletedTask;
            });
            return new EventBusMachine(client, machineId);
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await channel.ShutdownAsync();
        (channel as IDisposable)?.Dispose();
    }
}
