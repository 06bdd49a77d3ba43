using System.Runtime.CompilerServices;
using Grpc.Net.Client;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>A client closes its connections, in whatever way it ends.</summary>
public sealed class ConnectionLifeTests
{
    private const int Providers = 200;
    private const int Channels = 300;

    public static TheoryData<SharedMemoryMode> Modes => new(SharedMemoryMode.Auto, SharedMemoryMode.Http2);

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task ServiceProviders_ThatAreDisposed_LetTheirConnectionsGo(SharedMemoryMode mode)
    {
        await using var server = await StartAsync();
        var held = new List<object>();
        for (var i = 0; i < Providers; i++)
        {
            await using var services = new ServiceCollection()
                .AddGrpcClient<Greeter.GreeterClient>()
                .UseSharedMemory("greeter", options => Configure(options, server, mode, Timeout.InfiniteTimeSpan))
                .Services.BuildServiceProvider();
            var client = services.GetRequiredService<Greeter.GreeterClient>();
            await GreetAsync(client);
            held.Add(client);
        }

        // The end of their provider must close them, not the garbage collector.
        await TimeLimit.UntilAsync(() => server.CountConnections() == 0);
        Assert.Equal(Providers, held.Count);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Channels_ThatNobodyUses_LetTheirConnectionsGo(SharedMemoryMode mode)
    {
        await using var server = await StartAsync();
        var channels = new List<GrpcChannel>();
        for (var i = 0; i < Channels; i++)
        {
            channels.Add(CreateChannel(server, mode, TimeSpan.FromSeconds(1)));
            await GreetAsync(new Greeter.GreeterClient(channels[i]));
        }

        await TimeLimit.UntilAsync(() => server.CountConnections() == 0);

        // The connections work as before.
        foreach (var channel in channels)
        {
            await GreetAsync(new Greeter.GreeterClient(channel));
            channel.Dispose();
        }
    }

    [Fact]
    public async Task Channels_ThatNobodyHolds_LetTheirConnectionsGo()
    {
        await using var server = await StartAsync();
        for (var i = 0; i < Channels; i++)
        {
            await GreetAndForgetAsync(server);
        }

        await TimeLimit.UntilAsync(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return server.CountConnections() == 0;
        });
    }

    [Fact]
    public async Task PlainRequests_ThatAreDone_LetTheirConnectionsGo()
    {
        await using var server = await StartAsync();
        var options = new SharedMemoryClientOptions();
        Configure(options, server, SharedMemoryMode.Auto, TimeSpan.FromSeconds(1));
        using var client = new HttpClient(SharedMemoryChannel.CreateHandler("greeter", options));

        for (var i = 0; i < 2; i++)
        {
            using (await client.GetAsync(new Uri("http://localhost/"), TestContext.Current.CancellationToken)
                .WaitAsync(TimeLimit.Value, TestContext.Current.CancellationToken))
            {
                await TimeLimit.UntilAsync(() => server.CountConnections() == 0);
            }
        }
    }

    [Fact]
    public void Options_ThatMakeNoSense_AreRefusedByName()
    {
        var options = new SharedMemoryClientOptions();

        Assert.Equal(
            "IdleTimeout",
            Assert.Throws<ArgumentOutOfRangeException>(() => options.IdleTimeout = TimeSpan.Zero).ParamName);
        Assert.Equal(
            "IdleTimeout",
            Assert.Throws<ArgumentOutOfRangeException>(() => options.IdleTimeout = TimeSpan.FromDays(2)).ParamName);
        Assert.Equal(TimeSpan.FromMinutes(1), options.IdleTimeout);
        Assert.True(options.EnableMultipleConnections);
        options.IdleTimeout = Timeout.InfiniteTimeSpan;
    }

    private static Task<TestServer> StartAsync() =>
        TestServer.StartAsync(static builder =>
            builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("greeter")));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task GreetAndForgetAsync(TestServer server) =>
        GreetAsync(new Greeter.GreeterClient(CreateChannel(server, SharedMemoryMode.Auto, Timeout.InfiniteTimeSpan)));

    private static GrpcChannel CreateChannel(TestServer server, SharedMemoryMode mode, TimeSpan idleTimeout)
    {
        var options = new SharedMemoryClientOptions();
        Configure(options, server, mode, idleTimeout);
        return SharedMemoryChannel.CreateGrpcChannel("greeter", options);
    }

    private static void Configure(
        SharedMemoryClientOptions options, TestServer server, SharedMemoryMode mode, TimeSpan idleTimeout)
    {
        options.RuntimeDirectory = server.Directory;
        options.Mode = mode;
        options.IdleTimeout = idleTimeout;
        options.RingSize = 8192;
    }

    private static async Task GreetAsync(Greeter.GreeterClient client)
    {
        var answer = await client.GreetAsync(
            new Greeting { Name = "Ada" },
            deadline: TimeLimit.Deadline,
            cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("Hello, Ada.", answer.Text);
    }
}
