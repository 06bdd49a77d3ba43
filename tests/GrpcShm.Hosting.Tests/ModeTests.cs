using System.Diagnostics.Metrics;
using Grpc.Core;
using GrpcShm.AspNetCore;
using GrpcShm.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>Which mode client and server come to, by the options of both.</summary>
public sealed class ModeTests
{
    [Theory]
    [InlineData(SharedMemoryMode.Auto, true, true, "direct")]
    [InlineData(SharedMemoryMode.Auto, true, false, "direct")]
    [InlineData(SharedMemoryMode.Auto, false, true, "http2")]
    [InlineData(SharedMemoryMode.Direct, true, true, "direct")]
    [InlineData(SharedMemoryMode.Http2, true, true, "http2")]
    public async Task Call_WithModesInCommon_UsesTheBetterOne(SharedMemoryMode mode, bool offersDirect, bool offersHttp2, string expected)
    {
        await using var server = await StartAsync(offersDirect, offersHttp2);
        using var channel = SharedMemoryChannel.ForAddress("greeter", Options(server.Directory, mode));

        await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ => Assert.Equal(expected, await GetModeAsync(channel.CreateCallInvoker()))));
    }

    [Theory]
    [InlineData(SharedMemoryMode.Direct, false, true)]
    [InlineData(SharedMemoryMode.Http2, true, false)]
    public async Task Call_WithoutAModeInCommon_IsUnavailableAndSaysWhy(SharedMemoryMode mode, bool offersDirect, bool offersHttp2)
    {
        await using var server = await StartAsync(offersDirect, offersHttp2);
        using var channel = SharedMemoryChannel.ForAddress("greeter", Options(server.Directory, mode));

        var exception = await Assert.ThrowsAsync<RpcException>(() => GetModeAsync(channel.CreateCallInvoker()));

        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
        Assert.Contains("mode", exception.Status.DebugException?.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Call_AfterTheServerCameBackWithAnotherMode_UsesThat(bool firstDirect)
    {
        await using var first = await StartAsync(firstDirect, offersHttp2: true);
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var options = Options(first.Directory, SharedMemoryMode.Auto);
        options.MeterFactory = services.GetRequiredService<IMeterFactory>();
        using var channel = SharedMemoryChannel.ForAddress("greeter", options);
        var invoker = channel.CreateCallInvoker();
        Assert.Equal(firstDirect ? "direct" : "http2", await GetModeAsync(invoker));
        await first.StopAsync();

        // A busy client learns late that the server has gone, and HTTP/2 goes on with its successor until then.
        await WhenNoConnectionStandsAsync(options.MeterFactory);

        await using var second = await StartAsync(!firstDirect, offersHttp2: true, first.Directory);

        // The first calls may meet what is left of the old connection.
        Assert.Equal(firstDirect ? "http2" : "direct", await RetryAsync(() => GetModeAsync(invoker)));
    }

    [Fact]
    public async Task Call_ThroughConnectionMiddlewareThatReads_GoesOverHttp2()
    {
        await using var server = await TestServer.StartAsync(
            Configure(offersDirect: true, offersHttp2: true, kestrel => kestrel.ListenSharedMemory("greeter", listen => listen.Use(next => connection =>
            {
                // Whoever asks for the pipe may read from it.
                _ = connection.Transport.Input;
                return next(connection);
            }))));
        using var channel = SharedMemoryChannel.ForAddress("greeter", Options(server.Directory, SharedMemoryMode.Auto));

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("http2", await GetModeAsync(channel.CreateCallInvoker()));
        }
    }

    [Fact]
    public async Task HttpClient_WithoutGrpc_GetsItsAnswer()
    {
        await using var server = await StartAsync(offersDirect: true, offersHttp2: true);
        await using var services = new ServiceCollection()
            .AddHttpClient("plain")
            .UseSharedMemory("greeter", options => options.RuntimeDirectory = server.Directory)
            .Services.BuildServiceProvider();
        using var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("plain");

        using var response = await client
            .GetAsync(new Uri("http://localhost/nowhere?a=b"), TestContext.Current.CancellationToken)
            .WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken);

        Assert.Equal(System.Net.HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal(["http2"], response.Headers.GetValues(ModeFilter.Header));
    }

    [Theory]
    [InlineData(20, 10, StatusCode.Internal, "431")]
    [InlineData(1, 3000, StatusCode.Internal, "431")]
    [InlineData(40, 10, StatusCode.ResourceExhausted, "")]
    [InlineData(1, 6000, StatusCode.ResourceExhausted, "")]
    public async Task Call_WithMoreHeadersThanKestrelIsToldToTake_FailsAlone(int count, int size, StatusCode status, string detail)
    {
        await using var server = await TestServer.StartAsync(Configure(offersDirect: true, offersHttp2: false, static kestrel =>
        {
            kestrel.Limits.MaxRequestHeaderCount = 16;
            kestrel.Limits.MaxRequestHeadersTotalSize = 2048;
            kestrel.ListenSharedMemory("greeter");
        }));
        using var channel = SharedMemoryChannel.ForAddress("greeter", Options(server.Directory, SharedMemoryMode.Direct));
        var invoker = channel.CreateCallInvoker();
        var metadata = new Metadata();
        for (var i = 0; i < count; i++)
        {
            metadata.Add($"x-{i}", new string('x', size));
        }

        // With more than twice of what it takes, Kestrel does not even answer.
        var exception = await Assert.ThrowsAsync<RpcException>(() => GetModeAsync(invoker, metadata));
        Assert.Equal(status, exception.StatusCode);
        Assert.Contains(detail, exception.Status.Detail, StringComparison.Ordinal);
        Assert.Equal("direct", await GetModeAsync(invoker));
    }

    [Fact]
    public void Options_ThatMakeNoSense_AreRefusedByName()
    {
        var options = new SharedMemoryClientOptions();

        Assert.Equal("KeepAlivePingDelay", Assert.Throws<ArgumentOutOfRangeException>(() => options.KeepAlivePingDelay = TimeSpan.Zero).ParamName);
        Assert.Equal("KeepAlivePingTimeout", Assert.Throws<ArgumentOutOfRangeException>(() => options.KeepAlivePingTimeout = TimeSpan.FromMilliseconds(1)).ParamName);
        options.KeepAlivePingDelay = Timeout.InfiniteTimeSpan;
    }

    private static SharedMemoryClientOptions Options(string directory, SharedMemoryMode mode) => new()
    {
        RuntimeDirectory = directory,
        Mode = mode,
    };

    private static Task<TestServer> StartAsync(bool offersDirect, bool offersHttp2, string? directory = null) =>
        TestServer.StartAsync(
            Configure(offersDirect, offersHttp2, static kestrel => kestrel.ListenSharedMemory("greeter")),
            directory is null ? [] : [("SharedMemory:RuntimeDirectory", directory)]);

    private static Action<WebApplicationBuilder> Configure(bool offersDirect, bool offersHttp2, Action<KestrelServerOptions> listen) => builder =>
    {
        builder.WebHost.ConfigureKestrel(listen);
        builder.Services.Configure<SharedMemoryTransportOptions>(options =>
        {
            options.OfferDirect = offersDirect;
            options.OfferHttp2 = offersHttp2;
        });
        builder.Services.AddSingleton<IStartupFilter, ModeFilter>();
    };

    private static async Task<string> GetModeAsync(CallInvoker invoker, Metadata? metadata = null)
    {
        using var call = new Greeter.GreeterClient(invoker).GreetAsync(
            new Greeting { Name = "Ada" }, metadata, TestTimeout.Deadline, TestContext.Current.CancellationToken);
        Assert.Equal("Hello, Ada.", (await call).Text);
        return (await call.ResponseHeadersAsync).GetValue(ModeFilter.Header)!;
    }

    private static async Task WhenNoConnectionStandsAsync(IMeterFactory factory)
    {
        var connections = -1;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "grpcshm.connections" && ReferenceEquals(instrument.Meter.Scope, factory))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((_, value, _, _) => connections = value);
        listener.Start();
        await TestTimeout.UntilAsync(() =>
        {
            listener.RecordObservableInstruments();
            return connections == 0;
        });
    }

    private static async Task<string> RetryAsync(Func<Task<string>> call)
    {
        var giveUpAt = TestTimeout.Deadline;
        while (true)
        {
            try
            {
                return await call();
            }
            catch (RpcException exception) when (exception.StatusCode == StatusCode.Unavailable && DateTime.UtcNow < giveUpAt)
            {
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            }
        }
    }
}
