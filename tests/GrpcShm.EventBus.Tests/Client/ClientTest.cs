using System.Threading.Channels;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>A test with a hub in this process and clients of it.</summary>
public abstract class ClientTest : HubTest, IAsyncLifetime
{
    private readonly List<EventClient> _clients = [];

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync().InTime();
        }

        await DisposeAsync();
        GC.SuppressFinalize(this);
    }

    internal async Task<EventClient> ConnectClientAsync(Action<EventBusClientOptions>? configure = null)
    {
        var options = new EventBusClientOptions
        {
            ConnectTimeout = TimeLimit.Value, AcknowledgementTimeout = TimeLimit.Value,
        };
        configure?.Invoke(options);
        var client = new EventClient(Connect(), options);
        _clients.Add(client);
        await client.ConnectAsync().InTime();
        return client;
    }

    /// <summary>Subscribes as a machine that keeps what it gets.</summary>
    internal static async Task<ChannelReader<BusEvent>> ReceiveAsync(
        EventClient client, string machineId, MachineOptions? options = null)
    {
        var events = Channel.CreateUnbounded<BusEvent>();
        await client.RegisterMachineAsync(
            machineId, received => events.Writer.WriteAsync(received).AsTask(), options).InTime();
        return events.Reader;
    }

    internal static async Task<EventBusException> FailsAsync(Task task, Grpc.Core.StatusCode code)
    {
        var exception = await Assert.ThrowsAsync<EventBusException>(() => task.InTime());
        Assert.Equal(code, exception.StatusCode);
        return exception;
    }
}
