using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>The ways in which a client gets its connection.</summary>
public sealed class ClientTests
{
    [Fact]
    public async Task UseSharedMemory_GrpcClientWithoutAddress_Connects()
    {
        await using var server = await StartAsync();
        await using var services = new ServiceCollection()
            .AddGrpcClient<Greeter.GreeterClient>()
            .UseSharedMemory("shm:greeter", options => options.RuntimeDirectory = server.Directory)
            .Services.BuildServiceProvider();

        await AssertGreetsAsync(services.GetRequiredService<Greeter.GreeterClient>());
    }

    [Fact]
    public async Task UseSharedMemory_ConfigurationSection_Connects()
    {
        await using var server = await StartAsync();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Address"] = "shm:greeter",
            ["RuntimeDirectory"] = server.Directory,
            ["WaitForServer"] = "00:00:10",
            ["RingSize"] = "8192",
        }).Build();
        await using var services = new ServiceCollection()
            .AddGrpcClient<Greeter.GreeterClient>()
            .UseSharedMemory(configuration)
            .Services.BuildServiceProvider();

        await AssertGreetsAsync(services.GetRequiredService<Greeter.GreeterClient>());
    }

    [Fact]
    public async Task UseSharedMemory_RingSizeThatIsNone_IsRefusedByName()
    {
        await using var services = new ServiceCollection()
            .AddGrpcClient<Greeter.GreeterClient>()
            .UseSharedMemory("greeter", options => options.RingSize = 5000)
            .Services.BuildServiceProvider();

        var exception = Assert.Throws<ArgumentOutOfRangeException>(services.GetRequiredService<Greeter.GreeterClient>);

        Assert.Equal("RingSize", exception.ParamName);
    }

    [Fact]
    public async Task ConnectAsync_InAHandlerOfTheUsersOwn_Connects()
    {
        await using var server = await StartAsync();
        var factory = new SharedMemoryConnectionFactory(
            "greeter", new SharedMemoryClientOptions
            {
                RuntimeDirectory = server.Directory, ConnectTimeout = TimeLimit.Value,
            });
        using var handler = new SocketsHttpHandler { ConnectCallback = factory.ConnectAsync };
        using var channel = GrpcChannel.ForAddress(
            "http://localhost", new GrpcChannelOptions { HttpHandler = handler });

        await AssertGreetsAsync(new Greeter.GreeterClient(channel));
    }

    [Fact]
    public async Task ForAddress_OptionsUsedForTwoChannels_BothConnect()
    {
        await using var server = await StartAsync();
        var options = new SharedMemoryClientOptions
        {
            RuntimeDirectory = server.Directory, ConnectTimeout = TimeLimit.Value,
        };
        var channelOptions = new GrpcChannelOptions();
        using var first = SharedMemoryChannel.ForAddress("shm:greeter", options, channelOptions);
        using var second = SharedMemoryChannel.ForAddress("shm:greeter", options, channelOptions);

        await AssertGreetsAsync(new Greeter.GreeterClient(first));
        await AssertGreetsAsync(new Greeter.GreeterClient(second));
    }

    [Fact]
    public void ForAddress_OptionsWithAHandler_AreRefused()
    {
        using var handler = new SocketsHttpHandler();
        var channelOptions = new GrpcChannelOptions { HttpHandler = handler };

        Assert.Throws<ArgumentException>(
            () => SharedMemoryChannel.ForAddress("shm:greeter", new SharedMemoryClientOptions(), channelOptions));
    }

    [Fact]
    public async Task Call_WithoutAServer_IsUnavailableAndSaysWhereItLooked()
    {
        var directory = Path.Join(Path.GetTempPath(), Path.GetRandomFileName());
        using var channel = SharedMemoryChannel.CreateGrpcChannel(
            "shm:nobody", new SharedMemoryClientOptions { RuntimeDirectory = directory });

        var exception = await Assert.ThrowsAsync<RpcException>(
            () => new Greeter.GreeterClient(channel).GreetAsync(
                new Greeting(),
                deadline: TimeLimit.Deadline,
                cancellationToken: TestContext.Current.CancellationToken).ResponseAsync);

        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
        Assert.Contains(directory, exception.Status.DebugException?.ToString(), StringComparison.Ordinal);
    }

    private static Task<TestServer> StartAsync() =>
        TestServer.StartAsync(
            builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory("greeter")));

    private static async Task AssertGreetsAsync(Greeter.GreeterClient client)
    {
        var answer = await client.GreetAsync(
            new Greeting { Name = "Ada" },
            deadline: TimeLimit.Deadline,
            cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("Hello, Ada.", answer.Text);

        // The server runs in this process.
        Assert.Equal(Environment.ProcessId, answer.PeerProcessId);
        Assert.True(new PeerIdentity(answer.PeerUserId).IsSameUser);
        Assert.Equal("shm:greeter", answer.EndPoint);
    }
}
