using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Core.Interceptors;
using GrpcShm.EventBus.TestProcess;
using GrpcShm.EventBus.Tests.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>A hub is dispatched natively by itself, unless ASP.NET Core has to look at its calls.</summary>
public sealed class NativeHubTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Hub_OnSharedMemory_IsNativeIfNobodyAuthenticatesItsClients(bool hasAuthentication)
    {
        using var log = new RecordingLoggerProvider();
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.WebHost.UseSharedMemory(static options => options.HandshakeTimeout = HubChannel.ConnectTimeout);
        builder.WebHost.ConfigureKestrel(
            static kestrel => kestrel.ListenSharedMemory($"hub-{Guid.NewGuid():N}"));
        builder.Services.AddEventBus();
        if (hasAuthentication)
        {
            builder.Services.AddAuthentication().AddSharedMemoryPeer();
        }

        await using var app = builder.Build();
        app.MapEventBus();
        await app.StartAsync(TestContext.Current.CancellationToken).InTime();

        var line = Assert.Single(
            log.Lines, static line => line.Contains(" NativeDispatch", StringComparison.Ordinal));
        if (hasAuthentication || Environment.Version.Major != 10)
        {
            Assert.StartsWith(
                "Information NativeDispatchNotProved: "
                    + "Calls in direct mode to xstatenet.events.v1.EventBus take the full pipeline, since ",
                line,
                StringComparison.Ordinal);
        }
        else
        {
            Assert.StartsWith(
                "Information NativeDispatch: "
                    + "Calls in direct mode to xstatenet.events.v1.EventBus are dispatched natively.",
                line,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Session_OfANewChannel_IsFramedByTheChannelItself()
    {
        var agents = new ConcurrentQueue<string?>();
        var address = $"shm:hub-{Guid.NewGuid():N}";
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSharedMemory(static options => options.HandshakeTimeout = HubChannel.ConnectTimeout);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(address));
        builder.Services.AddEventBus();
        builder.Services.AddGrpc(options => options.Interceptors.Add<AgentInterceptor>(agents));
        await using var app = builder.Build();
        app.MapEventBus();
        await app.StartAsync(TestContext.Current.CancellationToken).InTime();

        // The session is the first call of its channel, and of this client.
        using var channel = HubChannel.To(address);
        await using var clientEnd = new EventClient(
            channel, new EventBusClientOptions { ConnectTimeout = TimeLimit.Value }).InTime(out var client);
        await client.ConnectAsync(TestContext.Current.CancellationToken).InTime();

        Assert.StartsWith("grpcshm-dotnet/", Assert.Single(agents), StringComparison.Ordinal);
    }

    private sealed class AgentInterceptor(ConcurrentQueue<string?> agents) : Interceptor
    {
        public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream,
            IServerStreamWriter<TResponse> responseStream,
            ServerCallContext context,
            DuplexStreamingServerMethod<TRequest, TResponse> continuation)
        {
            agents.Enqueue(context.RequestHeaders.GetValue("user-agent"));
            return continuation(requestStream, responseStream, context);
        }
    }
}
