using System.Diagnostics.Metrics;
using Grpc.Core;
using GrpcShm.AspNetCore;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace GrpcShm.Hosting.Tests;

/// <summary>The mode that client and server agree on, by the options of both.</summary>
public sealed class ModeTests
{
    [Theory]
    [InlineData(SharedMemoryMode.Auto, SharedMemoryMode.Auto, "direct")]
    [InlineData(SharedMemoryMode.Auto, SharedMemoryMode.Direct, "direct")]
    [InlineData(SharedMemoryMode.Auto, SharedMemoryMode.Http2, "http2")]
    [InlineData(SharedMemoryMode.Direct, SharedMemoryMode.Auto, "direct")]
    [InlineData(SharedMemoryMode.Direct, SharedMemoryMode.Direct, "direct")]
    [InlineData(SharedMemoryMode.Http2, SharedMemoryMode.Auto, "http2")]
    [InlineData(SharedMemoryMode.Http2, SharedMemoryMode.Http2, "http2")]
    public async Task Call_WithModesInCommon_UsesTheBetterOne(
        SharedMemoryMode mode, SharedMemoryMode offered, string expected)
    {
        await using var server = await StartAsync(offered);
        using var channel = SharedMemoryChannel.CreateGrpcChannel("greeter", Options(server.Directory, mode));

        await Task.WhenAll(Enumerable.Range(0, 20).Select(
            async _ => Assert.Equal(expected, await GetModeAsync(channel.CreateCallInvoker()))));
    }

    [Theory]
    [InlineData(SharedMemoryMode.Direct, SharedMemoryMode.Http2)]
    [InlineData(SharedMemoryMode.Http2, SharedMemoryMode.Direct)]
    public async Task Call_WithoutAModeInCommon_IsUnavailableAndSaysWhy(SharedMemoryMode mode, SharedMemoryMode offered)
    {
        await using var server = await StartAsync(offered);
        using var channel = SharedMemoryChannel.CreateGrpcChannel("greeter", Options(server.Directory, mode));

        var exception = await Assert.ThrowsAsync<RpcException>(() => GetModeAsync(channel.CreateCallInvoker()));

        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
        Assert.Contains("mode", exception.Status.DebugException?.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Call_AfterTheServerCameBackWithAnotherMode_UsesThat(bool firstDirect)
    {
        await using var first = await StartAsync(firstDirect ? SharedMemoryMode.Auto : SharedMemoryMode.Http2);
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var options = Options(first.Directory, SharedMemoryMode.Auto);
        options.MeterFactory = services.GetRequiredService<IMeterFactory>();
        using var channel = SharedMemoryChannel.CreateGrpcChannel("greeter", options);
        var invoker = channel.CreateCallInvoker();
        Assert.Equal(firstDirect ? "direct" : "http2", await GetModeAsync(invoker));
        await first.StopAsync();

        // A busy client notices late that the server has ended, and until then HTTP/2 goes on with the next server.
        await WhenNoConnectionStandsAsync(options.MeterFactory);

        await using var second = await StartAsync(
            firstDirect ? SharedMemoryMode.Http2 : SharedMemoryMode.Auto, first.Directory);

        // The first calls may still use the old connection.
        Assert.Equal(firstDirect ? "http2" : "direct", await RetryAsync(() => GetModeAsync(invoker)));
    }

    [Fact]
    public async Task Call_ThroughConnectionMiddlewareThatReads_GoesOverHttp2()
    {
        await using var server = await TestServer.StartAsync(
            Configure(SharedMemoryMode.Auto, ListenWithMiddlewareThatReads));
        using var channel = SharedMemoryChannel.CreateGrpcChannel(
            "greeter", Options(server.Directory, SharedMemoryMode.Auto));

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("http2", await GetModeAsync(channel.CreateCallInvoker()));
        }
    }

    [Fact]
    public async Task Call_ThroughConnectionMiddlewareThatReadsWithoutHttp2_IsUnavailable()
    {
        await using var server = await TestServer.StartAsync(
            Configure(SharedMemoryMode.Direct, ListenWithMiddlewareThatReads));
        using var channel = SharedMemoryChannel.CreateGrpcChannel(
            "greeter", Options(server.Directory, SharedMemoryMode.Auto));

        for (var i = 0; i < 3; i++)
        {
            var exception = await Assert.ThrowsAsync<RpcException>(() => GetModeAsync(channel.CreateCallInvoker()));

            Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
            Assert.Contains("server's log", exception.Status.DebugException?.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task HttpClient_WithoutGrpc_GetsItsAnswer()
    {
        await using var server = await StartAsync(SharedMemoryMode.Auto);
        await using var services = new ServiceCollection()
            .AddHttpClient("plain")
            .UseSharedMemory("greeter", options => options.RuntimeDirectory = server.Directory)
            .Services.BuildServiceProvider();
        using var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("plain");

        using var response = await client
            .GetAsync(new Uri("http://localhost/nowhere?a=b"), TestContext.Current.CancellationToken)
            .WaitAsync(TimeLimit.Value, TestContext.Current.CancellationToken);

        Assert.Equal(System.Net.HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal(["http2"], response.Headers.GetValues(ModeFilter.Header));
    }

    [Theory]
    [InlineData(20, 10, StatusCode.Internal, "431")]
    [InlineData(1, 3000, StatusCode.Internal, "431")]
    [InlineData(40, 10, StatusCode.ResourceExhausted, "")]
    [InlineData(1, 6000, StatusCode.ResourceExhausted, "")]
    public async Task Call_WithMoreHeadersThanKestrelIsToldToTake_FailsAlone(
        int count, int size, StatusCode status, string detail)
    {
        await using var server = await TestServer.StartAsync(Configure(SharedMemoryMode.Direct, static kestrel =>
        {
            kestrel.Limits.MaxRequestHeaderCount = 16;
            kestrel.Limits.MaxRequestHeadersTotalSize = 2048;
            kestrel.ListenSharedMemory("greeter");
        }));
        using var channel = SharedMemoryChannel.CreateGrpcChannel(
            "greeter", Options(server.Directory, SharedMemoryMode.Direct));
        var invoker = channel.CreateCallInvoker();
        var metadata = new Metadata();
        for (var i = 0; i < count; i++)
        {
            metadata.Add($"x-{i}", new string('x', size));
        }

        // With headers of more than twice its limit, Kestrel does not even answer.
        var exception = await Assert.ThrowsAsync<RpcException>(() => GetModeAsync(invoker, metadata));
        Assert.Equal(status, exception.StatusCode);
        Assert.Contains(detail, exception.Status.Detail, StringComparison.Ordinal);
        Assert.Equal("direct", await GetModeAsync(invoker));
    }

    [Fact]
    public void Options_ThatMakeNoSense_AreRefusedByName()
    {
        var options = new SharedMemoryClientOptions();

        Assert.Equal(
            "KeepAlivePingDelay",
            Assert.Throws<ArgumentOutOfRangeException>(() => options.KeepAlivePingDelay = TimeSpan.Zero).ParamName);
        Assert.Equal(
            "KeepAlivePingTimeout",
            Assert.Throws<ArgumentOutOfRangeException>(
                () => options.KeepAlivePingTimeout = TimeSpan.FromMilliseconds(1)).ParamName);
        options.KeepAlivePingDelay = Timeout.InfiniteTimeSpan;
        Assert.Equal(
            "Mode", Assert.Throws<ArgumentOutOfRangeException>(() => options.Mode = (SharedMemoryMode)3).ParamName);
        Assert.Equal(
            "RunMode", Assert.Throws<ArgumentOutOfRangeException>(() => options.RunMode = (RunMode)(-1)).ParamName);
        var server = new SharedMemoryTransportOptions();
        Assert.Equal(
            "Mode", Assert.Throws<ArgumentOutOfRangeException>(() => server.Mode = (SharedMemoryMode)3).ParamName);
        Assert.Equal(
            "RunMode", Assert.Throws<ArgumentOutOfRangeException>(() => server.RunMode = (RunMode)(-1)).ParamName);
    }

    [Fact]
    public async Task Start_RingLargerThanTheLargest_FailsAndNamesBoth()
    {
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => TestServer.StartAsync(
            Configure(SharedMemoryMode.Auto, static kestrel => kestrel.ListenSharedMemory("greeter")),
            [("SharedMemory:RingSize", "65536"), ("SharedMemory:MaxRingSize", "32768")]));

        Assert.Contains("'SharedMemory:RingSize' is 65536", exception.Message, StringComparison.Ordinal);
        Assert.Contains("'SharedMemory:MaxRingSize', which is 32768", exception.Message, StringComparison.Ordinal);
    }

    private static SharedMemoryClientOptions Options(string directory, SharedMemoryMode mode) => new()
    {
        RuntimeDirectory = directory,
        Mode = mode,
    };

    private static void ListenWithMiddlewareThatReads(KestrelServerOptions kestrel) =>
        kestrel.ListenSharedMemory("greeter", static listen => listen.Use(static next => connection =>
        {
            // Middleware that asks for the pipe may read from it.
            _ = connection.Transport.Input;
            return next(connection);
        }));

    private static Task<TestServer> StartAsync(SharedMemoryMode offered, string? directory = null) =>
        TestServer.StartAsync(
            Configure(offered, static kestrel => kestrel.ListenSharedMemory("greeter")),
            directory is null ? [] : [("SharedMemory:RuntimeDirectory", directory)]);

    private static Action<WebApplicationBuilder> Configure(
        SharedMemoryMode offered, Action<KestrelServerOptions> listen) => builder =>
    {
        builder.WebHost.ConfigureKestrel(listen);
        builder.Services.Configure<SharedMemoryTransportOptions>(options => options.Mode = offered);
        builder.Services.AddSingleton<IStartupFilter, ModeFilter>();
    };

    private static async Task<string> GetModeAsync(CallInvoker invoker, Metadata? metadata = null)
    {
        using var call = new Greeter.GreeterClient(invoker).GreetAsync(
            new Greeting { Name = "Ada" }, metadata, TimeLimit.Deadline, TestContext.Current.CancellationToken);
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
        await TimeLimit.UntilAsync(() =>
        {
            listener.RecordObservableInstruments();
            return connections == 0;
        });
    }

    private static async Task<string> RetryAsync(Func<Task<string>> call)
    {
        var giveUpAt = TimeLimit.Deadline;
        while (true)
        {
            try
            {
                return await call();
            }
            catch (RpcException exception)
                when (exception.StatusCode == StatusCode.Unavailable && DateTime.UtcNow < giveUpAt)
            {
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            }
        }
    }
}
