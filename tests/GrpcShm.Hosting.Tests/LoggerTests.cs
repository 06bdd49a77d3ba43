using System.Collections.Concurrent;
using System.Net;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests;

/// <summary>
/// The lines that are logged for requests, and a logger that throws, as a logger does when its disk is full.
/// </summary>
public sealed class LoggerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Logger_Throws_CallsAreAnsweredAndServedOn()
    {
        var provider = new Provider(throws: true);
        await using var server = await StartAsync(provider);
        using var invoker = CreateInvoker(server);

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.InternalServerError, await PostAsync(invoker, "fail"));
            Assert.Equal(HttpStatusCode.BadRequest, await PostAsync(invoker, "refuse"));
            Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, await PostAsync(invoker, "serve", headers: 150));
            Assert.Equal(HttpStatusCode.OK, await PostAsync(invoker, "completed"));
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => PostAsync(invoker, "break"));
            Assert.Equal(HttpStatusCode.OK, await PostAsync(invoker, "serve"));
        }

        // The refusals are logged on the thread pool.
        await TimeLimit.UntilAsync(
            () => provider.Messages.Any(static m => m.Contains("refused", StringComparison.Ordinal)));
        Assert.Contains(provider.Messages, static m => m.Contains("unhandled", StringComparison.Ordinal));

        // To stop the server waits for each handler.
        await server.StopAsync();
    }

    [Fact]
    public async Task Refusal_QuotesThePeer_IsLoggedCleaned()
    {
        var provider = new Provider(throws: false);
        await using var server = await StartAsync(provider);
        using var invoker = CreateInvoker(server);

        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync(invoker, "refuse"));

        await TimeLimit.UntilAsync(
            () => provider.Messages.Any(static m => m.Contains("refused", StringComparison.Ordinal)));
        var message = Assert.Single(provider.Messages, static m => m.Contains("refused", StringComparison.Ordinal));
        Assert.Contains("No good", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.True(message.Length < 1000, message);
    }

    private static async Task ServeAsync(HttpContext context)
    {
        switch (context.Request.Path)
        {
            case "/test/fail":
                throw new InvalidOperationException("It does not work.");
            case "/test/refuse":
                throw new BadHttpRequestException("No good:\nall is well. " + new string('x', 5000));
            case "/test/completed":
                context.Response.OnCompleted(static () => throw new InvalidOperationException("Neither does this."));
                break;
            case "/test/break":
                await context.Response.StartAsync(Token);
                throw new InvalidOperationException("It has begun.");
        }
    }

    private static async Task<HttpStatusCode> PostAsync(HttpMessageInvoker invoker, string method, int headers = 0)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://localhost/test/{method}")
        {
            Version = new Version(2, 0),
            Content = new ByteArrayContent([]),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.TE.ParseAdd("trailers");
        for (var i = 0; i < headers; i++)
        {
            request.Headers.Add($"x-{i}", "1");
        }

        using var response = await invoker.SendAsync(request, Token).WaitAsync(TimeLimit.Value, Token);
        await response.Content.ReadAsByteArrayAsync(Token).WaitAsync(TimeLimit.Value, Token);
        return response.StatusCode;
    }

    private static HttpMessageInvoker CreateInvoker(TestServer server) => new(SharedMemoryChannel.CreateHandler(
        "greeter",
        new SharedMemoryClientOptions
        {
            RuntimeDirectory = server.Directory, Mode = SharedMemoryMode.Direct, ConnectTimeout = TimeLimit.Value,
        }));

    private static Task<TestServer> StartAsync(Provider provider) => TestServer.StartAsync(builder =>
    {
        builder.Logging.AddProvider(provider);
        builder.Logging.AddFilter("GrpcShm.AspNetCore", LogLevel.Trace);
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("greeter"));
        builder.Services.AddSingleton<IStartupFilter>(new HandlerFilter());
    });

    private sealed class HandlerFilter : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
            static app => app.Run(ServeAsync);
    }

    /// <summary>Keeps the lines that this library logs, and then throws.</summary>
    private sealed class Provider(bool throws) : ILoggerProvider
    {
        public ConcurrentQueue<string> Messages { get; } = [];

        private bool Throws => throws;

        public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName == "GrpcShm.AspNetCore");

        public void Dispose()
        {
        }

        private sealed class Logger(Provider provider, bool isKept) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => isKept;

            public void Log<TState>(
                LogLevel logLevel,
                EventId eventId,
                TState state,
                Exception? exception,
                Func<TState, Exception?, string> formatter)
            {
                if (!isKept)
                {
                    return;
                }

                provider.Messages.Enqueue(formatter(state, exception));
                if (provider.Throws)
                {
                    throw new IOException("No space left on device.");
                }
            }
        }
    }
}
