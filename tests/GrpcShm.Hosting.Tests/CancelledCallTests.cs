using System.Collections.Concurrent;
using Grpc.Core;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests;

/// <summary>The lines that gRPC logs on the server when clients cancel their calls.</summary>
public sealed class CancelledCallTests
{
    private const int Times = 50;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Call_ClientCancelsItsStream_IsNoError(bool hasDeadline)
    {
        var provider = new Provider();
        await using var server = await TestServer.StartAsync(builder =>
        {
            builder.Logging.AddProvider(provider);
            builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("greeter"));
        });
        using var channel = SharedMemoryChannel.CreateGrpcChannel(
            "greeter",
            new SharedMemoryClientOptions
            {
                RuntimeDirectory = server.Directory, Mode = SharedMemoryMode.Direct, ConnectTimeout = TimeLimit.Value,
            });
        var client = new Greeter.GreeterClient(channel);

        for (var i = 0; i < Times; i++)
        {
            using var cancellation = new CancellationTokenSource();
            using var call = client.GreetAll(new CallOptions(
                deadline: hasDeadline ? DateTime.UtcNow.AddHours(1) : null, cancellationToken: cancellation.Token));
            await call.RequestStream.WriteAsync(new Greeting { Name = "you" }, TestContext.Current.CancellationToken)
                .WaitAsync(TimeLimit.Value, TestContext.Current.CancellationToken);
            await call.ResponseHeadersAsync.WaitAsync(TimeLimit.Value, TestContext.Current.CancellationToken);
            await cancellation.CancelAsync();
            await TimeLimit.UntilAsync(() => provider.Endings.Count > i);
        }

        // If gRPC has already ended the call by its token, a read that the handler begins is an error of gRPC, over any
        // transport.
        Assert.DoesNotContain(provider.Endings, static ending => ending.Level >= LogLevel.Warning
            && ending.Exception is not InvalidOperationException
            {
                Message: "Can't read messages after the request is complete.",
            });
    }

    /// <summary>Keeps the lines that gRPC logs when a method ends by an exception.</summary>
    private sealed class Provider : ILoggerProvider
    {
        public ConcurrentQueue<(LogLevel Level, Exception Exception)> Endings { get; } = [];

        public ILogger CreateLogger(string categoryName) => new Logger(this);

        public void Dispose()
        {
        }

        private sealed class Logger(Provider provider) : ILogger
        {
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
                if (exception is not null && eventId.Name is "ServiceMethodCanceled" or "ErrorExecutingServiceMethod")
                {
                    provider.Endings.Enqueue((logLevel, exception!));
                }
            }
        }
    }
}
