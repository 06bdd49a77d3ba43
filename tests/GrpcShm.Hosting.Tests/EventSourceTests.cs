using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using GrpcShm.AspNetCore;
using GrpcShm.Client;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>What those hear of a call who listen to the event sources of .NET and of Kestrel.</summary>
public sealed class EventSourceTests
{
    private const string Kestrel = "Microsoft-AspNetCore-Server-Kestrel";
    private const string Client = "System.Net.Http";

    [Theory]
    [InlineData(SharedMemoryMode.Direct)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task Call_OfEachMode_IsToldByClientAndServer(SharedMemoryMode mode)
    {
        var name = $"heard-{Guid.NewGuid():N}";
        var (request, connection) = ("", "");
        using var listener = new Listener();
        await using var server = await TestServer.StartAsync(builder =>
        {
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(name));
            builder.Services.AddSingleton<IStartupFilter>(new MiddlewareFilter((context, next) =>
            {
                (request, connection) = (context.TraceIdentifier, context.Connection.Id);
                return next(context);
            }));
        });
        using var channel = SharedMemoryChannel.ForAddress(
            name, new SharedMemoryClientOptions { RuntimeDirectory = server.Directory, Mode = mode });

        await new Greeter.GreeterClient(channel).GreetAsync(
            new Greeting(), deadline: TestTimeout.Deadline, cancellationToken: TestContext.Current.CancellationToken);

        await TestTimeout.UntilAsync(() => listener.Of(Kestrel, "RequestStop", request).Any());
        string[] expected = [connection, request, "HTTP/2", "/grpcshm.hosting.Greeter/Greet", "POST"];
        Assert.Equal(expected, Assert.Single(listener.Of(Kestrel, "RequestStart", request)));
        Assert.Equal(expected, Assert.Single(listener.Of(Kestrel, "RequestStop", request)));
        Assert.Single(listener.Of(Kestrel, "ConnectionStart", connection));
        Assert.Contains("/grpcshm.hosting.Greeter/Greet", Assert.Single(listener.Of(Client, "RequestStart", name)));
    }

    private sealed class Listener : EventListener
    {
        private readonly ConcurrentQueue<(string Source, string Name, string[] Payload)> _heard = [];

        /// <summary>What has been heard from a source by that name in which a text occurs.</summary>
        public IEnumerable<string[]> Of(string source, string name, string text) =>
            _heard.Where(heard => heard.Source == source && heard.Name == name && heard.Payload.Contains(text)).Select(static heard => heard.Payload);

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name is Kestrel or Client)
            {
                EnableEvents(eventSource, EventLevel.Informational);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData) =>
            _heard?.Enqueue((eventData.EventSource.Name, eventData.EventName ?? "", [.. (eventData.Payload ?? []).Select(static value => $"{value}")]));
    }
}
