using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>The tags of connections in Kestrel's own meter, and the host of a request as a server sees it.</summary>
public sealed class KestrelMetricsTests
{
    [Theory]
    [InlineData(SharedMemoryMode.Direct)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task Connection_OfEachMode_IsTaggedWithTransportAndProtocol(SharedMemoryMode mode)
    {
        var durations = new ConcurrentQueue<Dictionary<string, object?>>();
        IMeterFactory? factory = null;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "kestrel.connection.duration"
                    && ReferenceEquals(instrument.Meter.Scope, factory))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>(
            (_, _, tags, _) => durations.Enqueue(tags.ToArray().ToDictionary()));
        await using var server = await StartAsync();
        factory = server.Services.GetRequiredService<IMeterFactory>();
        listener.Start();

        using (var channel = Connect(server, mode))
        {
            await GreetAsync(channel);
        }

        await TimeLimit.UntilAsync(() => !durations.IsEmpty);
        var tags = Assert.Single(durations);
        Assert.Equal("Unix", tags["network.transport"]);
        Assert.Equal("shm:metered", tags["server.address"]);
        Assert.Equal("http", tags["network.protocol.name"]);
        Assert.Equal("2", tags["network.protocol.version"]);
    }

    [Theory]
    [InlineData(SharedMemoryMode.Direct)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task Host_OfARequest_IsTheEndpointsName(SharedMemoryMode mode)
    {
        var hosts = new ConcurrentQueue<string>();
        await using var server = await StartAsync(hosts);
        using var channel = Connect(server, mode);

        await GreetAsync(channel);

        Assert.Equal(["metered"], hosts);
        Assert.Equal("metered", channel.Target);
    }

    private static Task<TestServer> StartAsync(ConcurrentQueue<string>? hosts = null) =>
        TestServer.StartAsync(builder =>
    {
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("metered"));
        builder.Services.AddSingleton<IStartupFilter>(new HostFilter(hosts ?? []));
    });

    private static Grpc.Net.Client.GrpcChannel Connect(TestServer server, SharedMemoryMode mode) =>
        SharedMemoryChannel.CreateGrpcChannel(
        "metered", new SharedMemoryClientOptions
        {
            RuntimeDirectory = server.Directory, Mode = mode, ConnectTimeout = TimeLimit.Value,
        });

    private static Task<Answer> GreetAsync(Grpc.Net.Client.GrpcChannel channel) => new Greeter.GreeterClient(channel)
        .GreetAsync(
            new Greeting(),
            deadline: TimeLimit.Deadline,
            cancellationToken: TestContext.Current.CancellationToken).ResponseAsync;

    private sealed class HostFilter(ConcurrentQueue<string> hosts) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((context, following) =>
            {
                hosts.Enqueue(context.Request.Host.Value!);
                return following(context);
            });
            next(app);
        };
    }
}
