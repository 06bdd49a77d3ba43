using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using GrpcShm.AspNetCore.Direct;
using GrpcShm.Client;
using GrpcShm.Hosting.Tests.TimeLimits;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests;

/// <summary>The values of Kestrel's <c>kestrel.queued_requests</c> for calls in direct mode.</summary>
public sealed class QueuedRequestsTests
{
    private const int Callers = 64;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Calls_ThatWaitForThePool_AreToldAsKestrelTellsOfItsOwn()
    {
        await using var server = await Server.StartAsync(RunMode.ThreadPool);

        using (var channel = server.Connect(SharedMemoryMode.Direct))
        {
            await CallUntilAsync(channel, () =>
            {
                server.Heartbeat.Beat(TimeSpan.Zero);
                return server.Measured.Any(static m => m.Change > 0);
            });
            server.Heartbeat.Beat(TimeSpan.Zero);
            Assert.Equal(0, server.Measured.Sum(static m => m.Change));
        }

        var sum = 0L;
        Assert.All(
            server.Measured,
            m => Assert.True((sum += m.Change) >= 0, "The number of waiting calls is negative."));
        var direct = Assert.Single(server.Measured.Select(static m => m.Tags).Distinct());
        server.Measured.Clear();
        using (var channel = server.Connect(SharedMemoryMode.Http2))
        {
            await GreetAsync(channel);
        }

        Assert.Equal(direct, Assert.Single(server.Measured.Select(static m => m.Tags).Distinct()));
        Assert.Equal(1, server.Instruments);
    }

    [Theory]
    [InlineData(RunMode.ThreadPool)]
    [InlineData(RunMode.Inline)]
    public async Task Call_ThatRuns_DoesNotWait(RunMode runMode)
    {
        var heartbeat = new ManualHeartbeat();
        await using var server = await Server.StartAsync(runMode, heartbeat, () => heartbeat.Beat(TimeSpan.Zero));
        using var channel = server.Connect(SharedMemoryMode.Direct);

        for (var i = 0; i < 200; i++)
        {
            await GreetAsync(channel);
        }

        Assert.Empty(server.Measured);
    }

    [Fact]
    public async Task Listener_ThatThrows_IsLoggedAndHoldsUpNobody()
    {
        await using var server = await Server.StartAsync(RunMode.ThreadPool);
        server.Failure = new TimeZoneNotFoundException("The listener has failed.");
        using var channel = server.Connect(SharedMemoryMode.Direct);

        await CallUntilAsync(channel, () =>
        {
            server.Heartbeat.Beat(TimeSpan.Zero);
            return !server.Logged.IsEmpty;
        });

        Assert.Contains(server.Logged, logged => ReferenceEquals(logged, server.Failure));
        await GreetAsync(channel);
    }

    /// <summary>Makes many calls at once, until a condition is true.</summary>
    private static async Task CallUntilAsync(Grpc.Net.Client.GrpcChannel channel, Func<bool> condition)
    {
        using var enough = new CancellationTokenSource();
        var callers = Enumerable.Range(0, Callers).Select(_ => Task.Run(
            async () =>
            {
                while (!enough.IsCancellationRequested)
                {
                    await GreetAsync(channel);
                }
            },
            Token)).ToList();
        try
        {
            await TimeLimit.UntilAsync(condition);
        }
        finally
        {
            await enough.CancelAsync();
            await Task.WhenAll(callers).WaitAsync(TimeLimit.Value, Token);
        }
    }

    private static Task<Answer> GreetAsync(Grpc.Net.Client.GrpcChannel channel) => new Greeter.GreeterClient(channel)
        .GreetAsync(new Greeting(), deadline: TimeLimit.Deadline, cancellationToken: Token).ResponseAsync;

    /// <summary>A server with a listener of its queue, and with a heartbeat that the test drives.</summary>
    private sealed class Server : ILoggerProvider, ILogger, IAsyncDisposable
    {
        private readonly MeterListener _listener = new();
        private TestServer _server = null!;

        public ManualHeartbeat Heartbeat { get; private init; } = new();

        public ConcurrentQueue<(long Change, string Tags)> Measured { get; } = [];

        public ConcurrentQueue<Exception> Logged { get; } = [];

        /// <summary>The number of instruments with this name.</summary>
        public int Instruments { get; private set; }

        /// <summary>The exception that the listener throws.</summary>
        public Exception? Failure { get; set; }

        public static async Task<Server> StartAsync(
            RunMode runMode, ManualHeartbeat? heartbeat = null, Action? handler = null)
        {
            var server = new Server { Heartbeat = heartbeat ?? new ManualHeartbeat() };
            server._server = await TestServer.StartAsync(builder =>
            {
                builder.Logging.AddProvider(server);
                builder.WebHost.UseSharedMemory(options => options.RunMode = runMode);
                builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(
                    "queued",
                    listen => listen.Use(next => context =>
                    {
                        context.Features.Set<IConnectionHeartbeatFeature>(server.Heartbeat);
                        return next(context);
                    })));
                builder.Services.AddSingleton<IStartupFilter>(new MiddlewareFilter((context, next) =>
                {
                    handler?.Invoke();
                    return next(context);
                }));
            });
            server._server.Services.GetRequiredService<DirectApplication>().Time = server.Heartbeat;
            server.Listen();
            return server;
        }

        public Grpc.Net.Client.GrpcChannel Connect(SharedMemoryMode mode) => SharedMemoryChannel.CreateGrpcChannel(
            "queued", new SharedMemoryClientOptions
            {
                RuntimeDirectory = _server.Directory, Mode = mode, ConnectTimeout = TimeLimit.Value,
            });

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name == "ListenerFailed")
            {
                Logged.Enqueue(exception!);
            }
        }

        public void Dispose()
        {
        }

        public async ValueTask DisposeAsync()
        {
            await _server.DisposeAsync();
            _listener.Dispose();
        }

        private void Listen()
        {
            var factory = _server.Services.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "kestrel.queued_requests" && ReferenceEquals(instrument.Meter.Scope, factory))
                {
                    Instruments++;
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, change, tags, _) =>
            {
                if (Failure is not null)
                {
                    throw Failure;
                }

                Measured.Enqueue(
                    (change, string.Join(", ", tags.ToArray().Select(static tag => $"{tag.Key}={tag.Value}"))));
            });
            _listener.Start();
        }
    }
}
