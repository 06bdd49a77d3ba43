using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.ClientFactory;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests;

/// <summary>
/// Clients of the gRPC client factory frame their calls by themselves, and all that is configured for them holds.
/// </summary>
public sealed class FactoryClientTests
{
    private const string Own = "grpcshm-dotnet/";
    private const string Theirs = "grpc-dotnet/";

    private readonly ConcurrentQueue<string> _agents = new();
    private readonly ConcurrentQueue<string> _headers = new();
    private readonly ConcurrentQueue<string> _timeouts = new();
    private readonly ConcurrentQueue<string> _order = new();

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SharedMemoryMode.Auto, Own)]
    [InlineData(SharedMemoryMode.Direct, Own)]
    [InlineData(SharedMemoryMode.Http2, Theirs)]
    public async Task Calls_FromTheFirstOn_AreFramedByTheClient(SharedMemoryMode mode, string agent)
    {
        await using var server = await StartAsync();
        await using var services = Provide(server, options: options => options.Mode = mode);
        var client = services.GetRequiredService<Greeter.GreeterClient>();

        await AssertGreetsAsync(client, agent);

        Assert.Equal("Hello, Ada.", client.Greet(new Greeting { Name = "Ada" }, cancellationToken: TestToken).Text);
        using var call = client.GreetAll(cancellationToken: TestToken);
        await call.RequestStream.WriteAsync(new Greeting { Name = "Ada" }, TestToken).InTime();
        await call.RequestStream.CompleteAsync().InTime();
        Assert.Equal("Hello, Ada.", (await call.ResponseAsync.InTime()).Text);
        Assert.All(_agents, seen => Assert.StartsWith(agent, seen, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Call_WithAllThatMayBeConfigured_SeesItInTheSameOrder()
    {
        await using var server = await StartAsync();
        await using var services = Provide(server, builder => builder
            .AddInterceptor(InterceptorScope.Channel, () => new Recorder("channel", _order))
            .AddInterceptor(InterceptorScope.Client, () => new Recorder("client", _order))
            .AddInterceptor(InterceptorScope.Channel, () => new Recorder("inner channel", _order))
            .ConfigureChannel(options => options.MaxSendMessageSize = 1000)
            .ConfigureGrpcClientCreator(invoker =>
            {
                _order.Enqueue("creator");
                return new Greeter.GreeterClient(invoker);
            })
            .Services.Configure<GrpcClientFactoryOptions>(
                nameof(Greeter.GreeterClient),
                options => options.CallOptionsActions.Add(context =>
                {
                    _order.Enqueue("options");
                    context.CallOptions = context.CallOptions.WithHeaders([new("x-own", "1")]);
                })));
        var client = services.GetRequiredService<Greeter.GreeterClient>();

        await AssertGreetsAsync(client, Own);

        string[] ofCall = ["options", "client", "channel", "inner channel"];
        Assert.Equal(["creator", .. ofCall, .. ofCall], _order);
        Assert.Equal(["1", "1"], _headers);
        var failure = await Assert.ThrowsAsync<RpcException>(() => GreetAsync(client, new string('a', 1000)));
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }

    [Fact]
    public async Task Clients_WithNamesOfTheirOwn_HaveTheirOwnEndPoints()
    {
        await using var server = await StartAsync("one", "two");
        var collection = new ServiceCollection();
        foreach (var name in new[] { "one", "two" })
        {
            collection.AddGrpcClient<Greeter.GreeterClient>(name)
                .UseSharedMemory(name, options => options.RuntimeDirectory = server.Directory);
        }

        await using var services = collection.BuildServiceProvider();
        var factory = services.GetRequiredService<GrpcClientFactory>();

        foreach (var name in new[] { "one", "two", "one", "two" })
        {
            var answer = await GreetAsync(factory.CreateClient<Greeter.GreeterClient>(name));
            Assert.Equal($"shm:{name}", answer.EndPoint);
        }

        Assert.All(_agents.Skip(2), seen => Assert.StartsWith(Own, seen, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Call_WithCredentials_HasThem()
    {
        await using var server = await StartAsync();
        await using var services = Provide(server, static builder => builder
            .ConfigureChannel(static options => options.UnsafeUseInsecureChannelCallCredentials = true)
            .AddCallCredentials(static (_, metadata) =>
            {
                metadata.Add("x-own", "secret");
                return Task.CompletedTask;
            }));

        await AssertGreetsAsync(services.GetRequiredService<Greeter.GreeterClient>(), Theirs);

        Assert.Equal(["secret", "secret"], _headers);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Call_WithAHandlerOfTheUsersOwn_GoesThroughIt(bool isReplaced)
    {
        await using var server = await StartAsync();
        await using var services = Provide(server, builder => _ = isReplaced
            ? builder.ConfigureChannel(
                options => options.HttpHandler = new Handler(_order) { InnerHandler = options.HttpHandler! })
            : builder.AddHttpMessageHandler(() => new Handler(_order)));

        await AssertGreetsAsync(services.GetRequiredService<Greeter.GreeterClient>(), Theirs);

        Assert.Equal(["handler", "handler"], _order);
    }

    [Fact]
    public async Task Call_InterceptorWasAddedLater_GoesThroughIt()
    {
        await using var server = await StartAsync();
        await using var services = Provide(server, builder => builder.Services.PostConfigure<GrpcClientFactoryOptions>(
            builder.Name,
            options => options.InterceptorRegistrations.Add(
                new InterceptorRegistration(InterceptorScope.Channel, _ => new Recorder("late", _order)))));

        await AssertGreetsAsync(services.GetRequiredService<Greeter.GreeterClient>(), Theirs);

        Assert.Equal(["late", "late"], _order);
    }

    [Theory]
    [InlineData(LogLevel.Information, false, Theirs)]
    [InlineData(LogLevel.Information, true, Own)]
    [InlineData(LogLevel.Warning, false, Own)]
    public async Task Call_WithLoggersOfRequests_IsLoggedByThem(LogLevel level, bool isRemoved, string agent)
    {
        await using var server = await StartAsync();
        using var logs = new CollectorProvider();
        await using var services = Provide(server, builder =>
        {
            builder.Services.AddLogging(logging => logging
                .AddFilter((category, atLevel) => atLevel >=
                    (category!.StartsWith("System.Net.Http", StringComparison.Ordinal) ? level : LogLevel.Information))
                .AddProvider(logs));
            if (isRemoved)
            {
                builder.RemoveAllLoggers();
            }
        });

        await AssertGreetsAsync(services.GetRequiredService<Greeter.GreeterClient>(), agent);

        // Both calls alike.
        Assert.Equal(agent == Theirs ? 2 : 0, logs.Log.Lines.Count(static line => line.Name == "RequestStart"));
    }

    [Fact]
    public async Task Call_OfAHandler_HasItsDeadline()
    {
        await using var server = await StartAsync();
        await using var front = await TestServer.StartAsync(builder =>
        {
            builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("front"));
            builder.Services.AddGrpcClient<Greeter.GreeterClient>()
                .UseSharedMemory("greeter", options => options.RuntimeDirectory = server.Directory)
                .EnableCallContextPropagation();
            builder.Services.AddGrpc(static options => options.Interceptors.Add<Forwarder>());
        });
        using var channel = SharedMemoryChannel.ForAddress(
            "front", new SharedMemoryClientOptions { RuntimeDirectory = front.Directory });

        for (var i = 0; i < 2; i++)
        {
            await GreetAsync(new Greeter.GreeterClient(channel));
        }

        Assert.Equal(2, _agents.Count);
        Assert.StartsWith(Own, _agents.Last(), StringComparison.Ordinal);
        Assert.Equal(2, _timeouts.Count);
        Assert.DoesNotContain("", _timeouts);
    }

    private static ServiceProvider Provide(
        TestServer server,
        Action<IHttpClientBuilder>? configure = null,
        Action<SharedMemoryClientOptions>? options = null)
    {
        var builder = new ServiceCollection().AddGrpcClient<Greeter.GreeterClient>()
            .UseSharedMemory("greeter", own =>
            {
                own.RuntimeDirectory = server.Directory;
                options?.Invoke(own);
            });
        configure?.Invoke(builder);
        return builder.Services.BuildServiceProvider();
    }

    private static async Task<Answer> GreetAsync(Greeter.GreeterClient client, string name = "Ada") =>
        await client
            .GreetAsync(new Greeting { Name = name }, deadline: TimeLimit.Deadline, cancellationToken: TestToken)
            .ResponseAsync.InTime();

    /// <summary>The first call makes the connection, and the second one shows who makes the calls then.</summary>
    private async Task AssertGreetsAsync(Greeter.GreeterClient client, string agent)
    {
        await GreetAsync(client);
        await GreetAsync(client);
        Assert.StartsWith(agent, _agents.Last(), StringComparison.Ordinal);
    }

    private Task<TestServer> StartAsync(params string[] names) =>
        TestServer.StartAsync(builder =>
        {
            builder.WebHost.ConfigureKestrel(kestrel =>
            {
                foreach (var name in names.DefaultIfEmpty("greeter"))
                {
                    kestrel.ListenSharedMemory(name);
                }
            });
            builder.Services.AddSingleton<IStartupFilter>(new MiddlewareFilter((context, next) =>
            {
                _agents.Enqueue(context.Request.Headers.UserAgent.ToString());
                _timeouts.Enqueue(context.Request.Headers["grpc-timeout"].ToString());
                if (context.Request.Headers.TryGetValue("x-own", out var value))
                {
                    _headers.Enqueue(value.ToString());
                }

                return next(context);
            }));
        });

    private sealed class Recorder(string name, ConcurrentQueue<string> order) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request,
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            order.Enqueue(name);
            return continuation(request, context);
        }
    }

    /// <summary>Calls the other server for each call.</summary>
    private sealed class Forwarder(Greeter.GreeterClient other) : Interceptor
    {
        public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            await other.GreetAsync(new Greeting { Name = "Ada" }).ResponseAsync.InTime();
            return await continuation(request, context);
        }
    }

    private sealed class Handler(ConcurrentQueue<string> order) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            order.Enqueue("handler");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
