using Grpc.Core;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GrpcShm.Hosting.Tests;

/// <summary>The state of a channel, whatever mode its calls take.</summary>
public sealed class ChannelStateTests
{
    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SharedMemoryMode.Auto, SharedMemoryMode.Auto)]
    [InlineData(SharedMemoryMode.Auto, SharedMemoryMode.Http2)]
    [InlineData(SharedMemoryMode.Http2, SharedMemoryMode.Auto)]
    public async Task State_OfAChannel_FollowsItsServer(SharedMemoryMode clients, SharedMemoryMode servers)
    {
        using var directory = new TempDirectory();
        using var channel = CreateChannel(directory, clients);
        Assert.Equal(ConnectivityState.Idle, channel.State);
        var connecting = channel.ConnectAsync(TestToken);
        await UntilAsync(channel, ConnectivityState.TransientFailure);
        await using (var server = await StartAsync(directory, servers))
        {
            await connecting.InTime();
            Assert.Equal(ConnectivityState.Ready, channel.State);
            var change = channel.WaitForStateChangedAsync(ConnectivityState.Ready, TestToken);
            await GreetAsync(channel);
            Assert.Equal(ConnectivityState.Ready, channel.State);

            // The call has used the connection that was there.
            Assert.Equal(1, server.CountConnections());
            Assert.False(change.IsCompleted);
            await server.StopAsync();
            await change.InTime();
        }

        await UntilAsync(channel, ConnectivityState.Idle);
        await Assert.ThrowsAsync<RpcException>(() => GreetAsync(channel));
        Assert.Equal(ConnectivityState.TransientFailure, channel.State);
        await using var next = await StartAsync(directory, servers);
        await GreetAsync(channel);
        Assert.Equal(ConnectivityState.Ready, channel.State);

        channel.Dispose();

        Assert.Equal(ConnectivityState.Shutdown, channel.State);
    }

    [Theory]
    [InlineData(SharedMemoryMode.Auto)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task State_ConnectionWasIdleForLong_IsIdle(SharedMemoryMode mode)
    {
        using var directory = new TempDirectory();
        await using var server = await StartAsync(directory, SharedMemoryMode.Auto);
        using var channel = CreateChannel(directory, mode, TimeSpan.FromSeconds(1));

        await channel.ConnectAsync(TestToken).InTime();

        await UntilAsync(channel, ConnectivityState.Idle);
        await channel.ConnectAsync(TestToken).InTime();
        await GreetAsync(channel);
        await UntilAsync(channel, ConnectivityState.Idle);
    }

    private static Task<TestServer> StartAsync(TempDirectory directory, SharedMemoryMode mode) =>
        TestServer.StartAsync(builder => builder.WebHost
            .UseSharedMemory(options =>
            {
                options.RuntimeDirectory = directory.Path;
                options.Mode = mode;
            })
            .ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(
                "greeter", static listen => listen.Protocols = HttpProtocols.Http2)));

    private static SharedMemoryChannel CreateChannel(
        TempDirectory directory, SharedMemoryMode mode, TimeSpan? idleTimeout = null)
    {
        var options = new SharedMemoryClientOptions
        {
            RuntimeDirectory = directory.Path,
            ConnectTimeout = TimeLimit.Value,
            Mode = mode,
        };
        options.IdleTimeout = idleTimeout ?? options.IdleTimeout;
        return SharedMemoryChannel.ForAddress("greeter", options);
    }

    private static async Task GreetAsync(SharedMemoryChannel channel) =>
        await new Greeter.GreeterClient(channel)
            .GreetAsync(new Greeting { Name = "Ada" }, cancellationToken: TestToken).ResponseAsync.InTime();

    private static async Task UntilAsync(SharedMemoryChannel channel, ConnectivityState wanted)
    {
        while (channel.State is var state && state != wanted)
        {
            await channel.WaitForStateChangedAsync(state, TestToken).InTime();
        }
    }
}
