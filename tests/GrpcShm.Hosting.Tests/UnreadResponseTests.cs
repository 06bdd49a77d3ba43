using System.Net;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>The memory that unread responses take in their client in HTTP/2 mode.</summary>
public sealed class UnreadResponseTests
{
    private const int Unread = 4;
    private const int MiB = 1024 * 1024;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Responses_ThatNobodyReads_HoldLittleAndHoldUpNobody()
    {
        var writer = new EndlessWriter();
        await using var server = await TestServer.StartAsync(builder =>
        {
            builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("greeter"));
            builder.Services.AddSingleton<IStartupFilter>(writer);
        });
        using var handler = SharedMemoryChannel.CreateHandler(
            "greeter",
            new SharedMemoryClientOptions
            {
                RuntimeDirectory = server.Directory, Mode = SharedMemoryMode.Http2, ConnectTimeout = TimeLimit.Value,
            });
        using var client = new HttpClient(handler, disposeHandler: false)
        {
            BaseAddress = new Uri("http://localhost"),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        var responses = new List<HttpResponseMessage>();
        for (var i = 0; i < Unread; i++)
        {
            responses.Add(await client
                .GetAsync(new Uri("/endless", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Token)
                .WaitAsync(TimeLimit.Value, Token));
        }

        // Kestrel serves its streams in turn. While this response is sent, the other streams send as much as they may.
        for (var i = 0; i < 40; i++)
        {
            var body = await client.GetByteArrayAsync(new Uri("/large", UriKind.Relative), Token)
                .WaitAsync(TimeLimit.Value, Token);
            Assert.Equal(MiB, body.Length);
        }

        // A window of 256 KiB, and the data that waits in Kestrel.
        Assert.InRange(writer.Written, 1, Unread * 512 * 1024);
        Assert.Equal(1, server.CountConnections());
        responses.ForEach(static response => response.Dispose());
    }

    private sealed class EndlessWriter : IStartupFilter
    {
        private long _written;

        /// <summary>The number of bytes of endless responses that the server could send.</summary>
        public long Written => Interlocked.Read(ref _written);

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app => app.Run(AnswerAsync);

        private async Task AnswerAsync(HttpContext context)
        {
            if (context.Request.Path == "/large")
            {
                await context.Response.Body.WriteAsync(new byte[MiB], context.RequestAborted);
                return;
            }

            var piece = new byte[16 * 1024];
            try
            {
                while (true)
                {
                    await context.Response.Body.WriteAsync(piece, context.RequestAborted);
                    Interlocked.Add(ref _written, piece.Length);
                }
            }
            catch (OperationCanceledException)
            {
                // The test is over.
            }
        }
    }
}
