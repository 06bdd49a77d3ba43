using System.Net;
using System.Threading.Channels;
using GrpcShm.AspNetCore.Direct;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace GrpcShm.Hosting.Tests;

/// <summary>
/// A handler whose request ends early gets the same exceptions in each mode as over Kestrel's own sockets. In direct
/// mode the request's token has been cancelled by then, and so have all tokens that its callbacks cancel.
/// </summary>
public sealed class AbortedRequestTests
{
    private const int Times = 50;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("direct", false)]
    [InlineData("direct", true)]
    [InlineData("http2", false)]
    [InlineData("socket", false)]
    public async Task Read_ClientCancels_FailsAfterTheTokens(string mode, bool withToken)
    {
        await using var host = await Host.StartAsync(mode, (context, _) => ReadToEndAsync(context, withToken));

        for (var i = 0; i < Times; i++)
        {
            var ending = await host.CancelAsync();

            Assert.IsType<IOException>(ending.Exception);
            Assert.True(ending.Exception.Message == "The client reset the request stream.", $"{i}: {ending.Exception}");
            AssertTold(mode, ending);
        }
    }

    [Fact]
    public async Task Write_ClientCancels_EndsAfterTheTokens()
    {
        await using var host = await Host.StartAsync("direct", async (context, _) =>
        {
            while (!(await context.Response.BodyWriter.WriteAsync(new byte[64 * 1024])).IsCompleted)
            {
            }
        });

        for (var i = 0; i < Times; i++)
        {
            AssertTold("direct", await host.CancelAsync());
        }
    }

    [Theory]
    [InlineData("direct")]
    [InlineData("http2")]
    [InlineData("socket")]
    public async Task Read_ConnectionIsAborted_Fails(string mode)
    {
        await using var host = await Host.StartAsync(mode, async (context, begun) =>
        {
            var read = ReadToEndAsync(context);
            await begun.WaitAsync(TimeLimit.Value, Token);
            context.Features.Get<IConnectionLifetimeFeature>()!.Abort();
            await read;
        });

        var ending = await host.CallAsync();

        Assert.IsType<IOException>(ending.Exception);
        Assert.Equal("The request stream was aborted.", ending.Exception.Message);
        Assert.IsType<ConnectionAbortedException>(ending.Exception.InnerException);
        AssertTold(mode, ending);
    }

    [Theory]
    [InlineData("direct")]
    [InlineData("http2")]
    [InlineData("socket")]
    public async Task Read_HostStops_Fails(string mode)
    {
        await using var host = await Host.StartAsync(mode, static (context, _) => ReadToEndAsync(context));
        using var response = await host.BeginAsync();

        await host.StopAsync();
        var ending = await host.EndingAsync();

        Assert.IsType<IOException>(ending.Exception);
        Assert.Equal("The request stream was aborted.", ending.Exception.Message);
        Assert.IsType<ConnectionAbortedException>(ending.Exception.InnerException);
        AssertTold(mode, ending);
    }

    [Theory]
    [InlineData("direct", "abort", "The connection was aborted by the application.")]
    [InlineData("http2", "abort", "The connection was aborted by the application.")]
    [InlineData("socket", "abort", "The connection was aborted by the application.")]
    [InlineData("direct", "reset", "The HTTP/2 stream was reset by the application with error code ENHANCE_YOUR_CALM.")]
    [InlineData("http2", "reset", "The HTTP/2 stream was reset by the application with error code ENHANCE_YOUR_CALM.")]
    [InlineData("socket", "reset", "The HTTP/2 stream was reset by the application with error code ENHANCE_YOUR_CALM.")]
    public async Task Read_HandlerGivesUp_IsCancelled(string mode, string how, string text)
    {
        await using var host = await Host.StartAsync(mode, async (context, begun) =>
        {
            var read = ReadToEndAsync(context);
            await begun.WaitAsync(TimeLimit.Value, Token);
            if (how == "abort")
            {
                context.Abort();
            }
            else
            {
                context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(0xb);
            }

            await read;
        });

        var ending = await host.CallAsync();

        Assert.IsType<TaskCanceledException>(ending.Exception);
        Assert.Equal("The request was aborted", ending.Exception.Message);
        Assert.Equal(text, Assert.IsType<ConnectionAbortedException>(ending.Exception.InnerException).Message);
        AssertTold(mode, ending);
    }

    [Fact]
    public async Task Read_CallbackWaitsForTheHandler_FailsNevertheless()
    {
        var isReady = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await Host.StartAsync("direct", async (context, _) =>
        {
            using var handlerEnded = new ManualResetEventSlim();
            using var registration = context.RequestAborted.Register(() => handlerEnded.Wait(TimeLimit.Value));
            isReady.SetResult();
            try
            {
                await ReadToEndAsync(context);
            }
            finally
            {
                // Disposing of the registration waits for the callback.
                handlerEnded.Set();
            }
        });

        host.StartTime();

        // If the token is cancelled already, its callback runs on the thread that registers it.
        using (await host.BeginAsync())
        {
            await isReady.Task.WaitAsync(TimeLimit.Value, Token);
        }

        Assert.IsType<IOException>((await host.EndingAsync()).Exception);
    }

    [Fact]
    public async Task Read_DataHadComeBeforeTheClientCancelled_GivesItUntilTheCallbacksHaveRun()
    {
        var isReady = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var read = 0L;
        await using var host = await Host.StartAsync("direct", async (context, _) =>
        {
            var isRunning = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var mayEnd = new ManualResetEventSlim();
            await using var registration = context.RequestAborted.Register(() =>
            {
                isRunning.SetResult();
                mayEnd.Wait(TimeLimit.Value);
            });

            // The data has arrived, and stays for the next read.
            var result = await context.Request.BodyReader.ReadAsync(Token);
            context.Request.BodyReader.AdvanceTo(result.Buffer.Start);
            isReady.SetResult();
            await isRunning.Task.WaitAsync(TimeLimit.Value, Token);
            try
            {
                result = await context.Request.BodyReader.ReadAsync(Token);
                read = result.Buffer.Length;
                context.Request.BodyReader.AdvanceTo(result.Buffer.End);
            }
            finally
            {
                mayEnd.Set();
            }

            await ReadToEndAsync(context);
        });

        using (await host.BeginAsync([1, 2, 3]))
        {
            await isReady.Task.WaitAsync(TimeLimit.Value, Token);
        }

        var ending = await host.EndingAsync();
        Assert.IsType<IOException>(ending.Exception);
        Assert.Equal(3, read);
        AssertTold("direct", ending);
    }

    [Fact]
    public async Task Callback_Throws_ReadFailsAndOthersAreServed()
    {
        using var isReady = new SemaphoreSlim(0);
        await using var host = await Host.StartAsync("direct", async (context, _) =>
        {
            using var registration = context.RequestAborted.Register(
                static () => throw new InvalidOperationException("It does not work."));
            isReady.Release();
            await ReadToEndAsync(context);
        });

        for (var i = 0; i < 3; i++)
        {
            // If the token is cancelled already, its callback throws on the thread that registers it.
            using (await host.BeginAsync())
            {
                await isReady.WaitAsync(TimeLimit.Value, Token);
            }

            var ending = await host.EndingAsync();
            Assert.IsType<IOException>(ending.Exception);
            AssertTold("direct", ending);
        }
    }

    private static void AssertTold(string mode, Ending ending)
    {
        // Kestrel cancels the token and fails the read at the same time, and nearly always in this order.
        if (mode == "direct")
        {
            Assert.True(ending.IsCancelled, "The request's token is not cancelled.");
            Assert.True(ending.IsLinkedCancelled, "The linked token is not cancelled.");
        }
    }

    private static async Task ReadToEndAsync(HttpContext context, bool withToken = false)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(withToken ? context.RequestAborted : CancellationToken.None);
            reader.AdvanceTo(result.Buffer.End);
            Assert.False(result.IsCompleted, "The request has ended.");
        }
    }

    private sealed record Ending(Exception Exception, bool IsCancelled, bool IsLinkedCancelled);

    /// <summary>A server with one handler, which starts its response first, and a client by one of the modes.</summary>
    private sealed class Host : IAsyncDisposable
    {
        private readonly Channel<Ending> _endings = Channel.CreateUnbounded<Ending>();
        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly SemaphoreSlim _begun = new(0);
        private HttpMessageInvoker _invoker = null!;
        private TestServer _server = null!;

        public static async Task<Host> StartAsync(string mode, Func<HttpContext, SemaphoreSlim, Task> handler)
        {
            var host = new Host();
            var socket = "";
            host._server = await TestServer.StartAsync(builder =>
            {
                socket = Path.Combine(builder.Environment.ContentRootPath, "kestrel.sock");
                builder.WebHost.ConfigureKestrel(kestrel =>
                {
                    // A body that never comes is what the tests are about.
                    kestrel.Limits.MinRequestBodyDataRate = null;
                    kestrel.ListenSharedMemory("greeter");
                    kestrel.ListenUnixSocket(socket, static listen => listen.Protocols = HttpProtocols.Http2);
                });
                builder.Services.Configure<HostOptions>(
                    static options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(100));
                builder.Services.AddSingleton<IStartupFilter>(
                    new HandlerFilter(context => host.ServeAsync(context, handler)));
            });
            host._invoker = new HttpMessageInvoker(mode == "socket"
                ? UnixSocket.CreateHandler(socket)
                : SharedMemoryChannel.CreateHandler("greeter", new SharedMemoryClientOptions
                {
                    RuntimeDirectory = host._server.Directory,
                    ConnectTimeout = TimeLimit.Value,
                    Mode = mode == "direct" ? SharedMemoryMode.Direct : SharedMemoryMode.Http2,
                }));

            // Otherwise, on a machine that stands still for long, a read could fail while a callback still runs.
            host._server.Services.GetRequiredService<DirectApplication>().Time = new StandingTime();
            return host;
        }

        /// <summary>Lets time pass, for a test of a time limit.</summary>
        public void StartTime() => _server.Services.GetRequiredService<DirectApplication>().Time = TimeProvider.System;

        /// <summary>Begins a call, whose request never ends, and waits for its response.</summary>
        public async Task<HttpResponseMessage> BeginAsync(byte[]? data = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost/test/aborted")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new OpenContent(data ?? [], _end.Task),
            };
            request.Headers.TE.ParseAdd("trailers");
            var response = await _invoker.SendAsync(request, Token).WaitAsync(TimeLimit.Value, Token);
            _begun.Release();
            return response;
        }

        /// <summary>Begins a call, and cancels it.</summary>
        public async Task<Ending> CancelAsync()
        {
            (await BeginAsync()).Dispose();
            return await EndingAsync();
        }

        /// <summary>Begins a call that its handler ends.</summary>
        public async Task<Ending> CallAsync()
        {
            using var response = await BeginAsync();
            return await EndingAsync();
        }

        public Task<Ending> EndingAsync() =>
            _endings.Reader.ReadAsync(Token).AsTask().WaitAsync(TimeLimit.Value, Token);

        public Task StopAsync() => _server.StopAsync();

        public async ValueTask DisposeAsync()
        {
            _end.SetResult();
            _invoker.Dispose();
            await _server.DisposeAsync();
            _begun.Dispose();
        }

        private async Task ServeAsync(HttpContext context, Func<HttpContext, SemaphoreSlim, Task> handler)
        {
            // A gRPC call with a deadline does the same.
            using var linked = new CancellationTokenSource();
            using var registration = context.RequestAborted.Register(linked.Cancel);
            await context.Response.StartAsync(Token);
            await context.Response.BodyWriter.FlushAsync(Token);
            Exception failure;
            try
            {
                await handler(context, _begun);
                failure = new InvalidOperationException("The handler has ended as usual.");
            }
            catch (Exception exception)
            {
                failure = exception;
            }

            _endings.Writer.TryWrite(
                new Ending(failure, context.RequestAborted.IsCancellationRequested, linked.IsCancellationRequested));
        }
    }

    private sealed class OpenContent : HttpContent
    {
        private readonly byte[] _data;
        private readonly Task _end;

        public OpenContent(byte[] data, Task end)
        {
            _data = data;
            _end = end;
            Headers.ContentType = new("application/grpc");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(
            Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(_data, cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await _end.WaitAsync(cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class HandlerFilter(RequestDelegate handler) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app => app.Run(handler);
    }
}
