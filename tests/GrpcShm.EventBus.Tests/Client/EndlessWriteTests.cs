using Grpc.Core.Interceptors;
using GrpcShm.EventBus.TestProcess;
using Polly;
using Polly.Retry;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>
/// Sessions with a write that ends neither by the end of the session nor by the disposal of the call. The client has to
/// go on without it.
/// </summary>
public sealed class EndlessWriteTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task SessionWhoseWriteNeverEnds_IsFollowedByTheNextOne()
    {
        await using var hub = await FakeHub.StartAsync(
            _directory.Socket,
            static (session, request) => session == 1 ? null : FakeHub.CarryOut(request));
        using var channel = HubChannel.To(_directory.Socket);
        var retry = new ResiliencePipelineBuilder()
            .AddRetry(new RetryStrategyOptions { MaxRetryAttempts = 3, Delay = TimeSpan.FromMilliseconds(1) })
            .Build();
        await using var clientEnd = new EventClient(
            new Contract.EventBusClient(channel.Intercept(new KeptWrites())),
            new EventBusClientOptions { ConnectPipeline = retry, ConnectTimeout = TimeLimit.Value })
            .InTime(out var client);
        await client.ConnectAsync().InTime();

        await client.SendEventAsync("s", "m", "E").InTime();

        Assert.Equal(2, hub.Sessions);
    }

    [Fact]
    public async Task ClientWhoseWriteNeverEnds_IsDisposedOf()
    {
        await using var hub = await FakeHub.StartAsync(
            _directory.Socket, static (_, request) => FakeHub.CarryOut(request));
        using var channel = HubChannel.To(_directory.Socket);
        var client = new EventClient(
            new Contract.EventBusClient(channel.Intercept(new KeptWrites())),
            new EventBusClientOptions
            {
                ConnectTimeout = TimeLimit.Value, ClosingTime = TimeSpan.FromMilliseconds(100),
            });

        // The write of the first command does not end, though the hub answers the command.
        await client.ConnectAsync().InTime();

        await client.DisposeAsync().InTime();

        Assert.Equal(EventBusConnectionState.Disconnected, client.State);
    }
}
