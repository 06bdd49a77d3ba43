using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using GrpcShm.Client;
using GrpcShm.Hosting.Tests.Observing;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>
/// The events of a call that the event sources of .NET and of Kestrel write. A plug-in's copy of the client counts its
/// connections from the beginning, too, so events of another test could bear the same numbers.
/// </summary>
[Collection(Alone.Name)]
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
        using var channel = SharedMemoryChannel.CreateGrpcChannel(
            name, new SharedMemoryClientOptions
            {
                RuntimeDirectory = server.Directory, Mode = mode, ConnectTimeout = TimeLimit.Value,
            });

        await new Greeter.GreeterClient(channel).GreetAsync(
            new Greeting(), deadline: TimeLimit.Deadline, cancellationToken: TestContext.Current.CancellationToken);

        await TimeLimit.UntilAsync(() => listener.Of(Kestrel, "RequestStop", request).Any());
        string[] expected = [connection, request, "HTTP/2", "/grpcshm.hosting.Greeter/Greet", "POST"];
        Assert.Equal(expected, Assert.Single(listener.Of(Kestrel, "RequestStart", request)));
        Assert.Equal(expected, Assert.Single(listener.Of(Kestrel, "RequestStop", request)));
        Assert.Single(listener.Of(Kestrel, "ConnectionStart", connection));
        Assert.Contains("/grpcshm.hosting.Greeter/Greet", Assert.Single(listener.Of(Client, "RequestStart", name)));
    }

    /// <summary>
    /// The events come in the order in which .NET writes them over a socket. Only the end of the request has no fixed
    /// place.
    /// </summary>
    [Theory]
    [InlineData("shm")]
    [InlineData("socket")]
    public async Task Steps_OfACall_AreToldInOrder(string transport)
    {
        await using var server = await StepServer.StartAsync();
        using var listener = new Listener();
        var heard = new ConcurrentQueue<(string Name, string[] Payload)>();
        Listener.Flow.Value = heard;
        string[] connection;
        using (var channel = server.Connect(transport))
        {
            await GreetAsync(channel);
            await TimeLimit.UntilAsync(() => heard.Any(static h => h.Name == "RequestContentStop"));

            string[] steps =
            [
                "RequestHeadersStart",
                "RequestHeadersStop",
                "RequestContentStart",
                "ResponseHeadersStart",
                "ResponseHeadersStop",
            ];
            Assert.Equal(["RequestStart", "RequestLeftQueue", .. steps, "RequestStop"], NamesOf(heard));
            Assert.Equal(["2", "0"], heard.Single(static h => h.Name == "RequestLeftQueue").Payload[1..]);
            connection = Assert.Single(listener.Of(Client, "ConnectionEstablished", server.Host(transport)));
            Assert.Equal(["2", "0", connection[2], "http", server.Host(transport), "80", ""], connection);
            AssertPayloads(heard);

            // The call uses the connection that exists already.
            heard.Clear();
            await GreetAsync(channel);
            await TimeLimit.UntilAsync(() => heard.Any(static h => h.Name == "RequestContentStop"));

            // The handler of sockets may give the first call its connection before it takes the connection up into its
            // pool. A call that comes between the two waits in the queue for the same connection.
            var names = NamesOf(heard).Where(name => transport != "socket" || name != "RequestLeftQueue");
            Assert.Equal(["RequestStart", .. steps, "RequestStop"], names);
            AssertPayloads(heard);
        }

        // Other calls end at the same time, and a small number may be the id of something else.
        var closed =
            () => listener.Of(Client, "ConnectionClosed", connection[2]).Where(payload => payload[2] == connection[2]);
        await TimeLimit.UntilAsync(() => closed().Any());
        Assert.Equal(["2", "0", connection[2]], Assert.Single(closed()));

        void AssertPayloads(IEnumerable<(string Name, string[] Payload)> heard)
        {
            Assert.Equal(
                connection[2], Assert.Single(heard.Single(static h => h.Name == "RequestHeadersStart").Payload));
            Assert.Equal("200", Assert.Single(heard.Single(static h => h.Name == "ResponseHeadersStop").Payload));

            // A message of one field with three letters, and the prefix that gRPC puts before it.
            Assert.Equal("10", Assert.Single(heard.Single(static h => h.Name == "RequestContentStop").Payload));
        }
    }

    private static IEnumerable<string> NamesOf(IEnumerable<(string Name, string[] Payload)> heard)
    {
        string[] names = [.. heard.Select(static h => h.Name)];
        Assert.True(Array.IndexOf(names, "RequestContentStop") > Array.IndexOf(names, "RequestContentStart"));
        return names.Where(static name => name != "RequestContentStop");
    }

    private static async Task GreetAsync(Grpc.Net.Client.GrpcChannel channel) =>
        await new Greeter.GreeterClient(channel).GreetAsync(
            new Greeting { Name = "you" },
            deadline: TimeLimit.Deadline,
            cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>A server on both transports.</summary>
    private sealed class StepServer(TestServer server, string name) : IAsyncDisposable
    {
        public static async Task<StepServer> StartAsync()
        {
            var name = $"steps-{Guid.NewGuid():N}";
            return new StepServer(
                await TestServer.StartAsync(builder => builder.WebHost.ConfigureKestrel(kestrel =>
                {
                    kestrel.ListenSharedMemory(name);
                    kestrel.ListenUnixSocket(
                        Path.Join(builder.Environment.ContentRootPath, "kestrel.sock"),
                        static listen => listen.Protocols = HttpProtocols.Http2);
                })),
                name);
        }

        public string Host(string transport) => transport == "shm" ? name : $"{name}.socket";

        public Grpc.Net.Client.GrpcChannel Connect(string transport) => transport == "shm"
            ? SharedMemoryChannel.CreateGrpcChannel(
                name,
                new SharedMemoryClientOptions
                {
                    RuntimeDirectory = server.Directory,
                    Mode = SharedMemoryMode.Direct,
                    ConnectTimeout = TimeLimit.Value,
                })
            : Grpc.Net.Client.GrpcChannel.ForAddress($"http://{Host(transport)}", new Grpc.Net.Client.GrpcChannelOptions
            {
                HttpHandler = UnixSocket.CreateHandler(Path.Join(server.Directory, "kestrel.sock")),
                DisposeHttpClient = true,
            });

        public ValueTask DisposeAsync() => server.DisposeAsync();
    }

    private sealed class Listener : EventListener
    {
        /// <summary>The list for the steps of a test's own requests. Other tests write to the same sources.</summary>
        public static readonly AsyncLocal<ConcurrentQueue<(string Name, string[] Payload)>?> Flow = new();

        private readonly ConcurrentQueue<(string Source, string Name, string[] Payload)> _heard = [];

        /// <summary>The events of a source with this name that contain a text.</summary>
        public IEnumerable<string[]> Of(string source, string name, string text) =>
            _heard
                .Where(heard => heard.Source == source && heard.Name == name && heard.Payload.Contains(text))
                .Select(static heard => heard.Payload);

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name is Kestrel or Client)
            {
                EnableEvents(eventSource, EventLevel.Informational);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            var (source, name) = (eventData.EventSource.Name, eventData.EventName ?? "");
            string[] payload = [.. (eventData.Payload ?? []).Select(static value => $"{value}")];
            _heard?.Enqueue((source, name, payload));
            if (source == Client && !name.StartsWith("Connection", StringComparison.Ordinal))
            {
                Flow.Value?.Enqueue((name, payload));
            }
        }
    }
}
