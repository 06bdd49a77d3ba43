using System.Buffers;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>
/// Middleware that reads, replaces or restores the bodies, and the gRPC handler after it, which reads and writes pipes.
/// </summary>
public sealed class ReplacedBodyTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SharedMemoryMode.Direct)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task Body_IsBufferedReadAndRewound_HandlerReadsItFromTheStart(SharedMemoryMode mode)
    {
        var lengths = new List<long>();
        await using var server = await StartAsync(async (context, next) =>
        {
            context.Request.EnableBuffering();
            using var copy = new MemoryStream();
            await context.Request.Body.CopyToAsync(copy, Token);
            lengths.Add(copy.Length);
            context.Request.Body.Position = 0;
            await next(context);
        });

        await GreetTwiceAsync(server, mode, "Ada");
        await AnswersToAllAsync(server, mode, "Hello, Ada and Bob.", waitsForHeaders: false);

        // The prefix of a message has five bytes, and that of a field two.
        Assert.Equal([10, 10, 20], lengths);
    }

    [Theory]
    [InlineData(SharedMemoryMode.Direct)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task Body_IsReplacedByAStreamThatTransforms_HandlerReadsWhatThatGives(SharedMemoryMode mode)
    {
        await using var server = await StartAsync((context, next) =>
        {
            context.Request.Body = new ReplacingStream(context.Request.Body);
            return next(context);
        });

        await GreetTwiceAsync(server, mode, "Ida");
        await AnswersToAllAsync(server, mode, "Hello, Ida and Bob.");
    }

    [Theory]
    [InlineData(SharedMemoryMode.Direct)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task Body_IsReplacedAndPutBack_HandlerReadsTheRequestItself(SharedMemoryMode mode)
    {
        await using var server = await StartAsync(async (context, next) =>
        {
            var own = context.Request.Body;
            context.Request.Body = new MemoryStream([1, 2, 3]);
            var result = await context.Request.BodyReader.ReadAtLeastAsync(3, Token);
            Assert.Equal([1, 2, 3], result.Buffer.ToArray());
            context.Request.BodyReader.AdvanceTo(result.Buffer.End);
            context.Request.Body = own;
            Assert.Same(own, context.Request.Body);
            await next(context);
        });

        await GreetTwiceAsync(server, mode, "Ada");
        await AnswersToAllAsync(server, mode, "Hello, Ada and Bob.");
    }

    [Theory]
    [InlineData(SharedMemoryMode.Direct)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task ResponseBody_IsReplacedByAStreamThatTransforms_ClientGetsWhatThatGives(SharedMemoryMode mode)
    {
        await using var server = await StartAsync(async (context, next) =>
        {
            context.Response.Body = new ReplacingStream(context.Response.Body);
            await next(context);

            // A writer on a stream keeps all that is not flushed, also the response's headers.
            await context.Response.BodyWriter.FlushAsync(Token);
        });

        await GreetTwiceAsync(server, mode, "Ida");
        await AnswersToAllAsync(server, mode, "Hello, Ida and Bob.", waitsForHeaders: false);
    }

    [Theory]
    [InlineData(SharedMemoryMode.Direct)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task ResponseBody_IsReplacedInTheOldFeature_StreamIsThatAndTheWriterIsNot(SharedMemoryMode mode)
    {
        await using var server = await StartAsync(async (context, next) =>
        {
            var response = context.Features.GetRequiredFeature<IHttpResponseFeature>();
#pragma warning disable CS0618 // What old middleware uses is what is tested.
            var own = response.Body;
            response.Body = Stream.Null;
#pragma warning restore CS0618
            Assert.Same(Stream.Null, context.Features.GetRequiredFeature<IHttpResponseBodyFeature>().Stream);
            Assert.NotSame(Stream.Null, own);
            await next(context);
        });

        await GreetTwiceAsync(server, mode, "Ada");
    }

    private static async Task GreetTwiceAsync(TestServer server, SharedMemoryMode mode, string expected)
    {
        using var channel = SharedMemoryChannel.CreateGrpcChannel("greeter", Options(server, mode));
        var client = new Greeter.GreeterClient(channel);
        for (var i = 0; i < 2; i++)
        {
            // The second call uses the object of the first one again.
            var answer = await client.GreetAsync(new Greeting { Name = "Ada" }, null, TimeLimit.Deadline, Token);
            Assert.Equal($"Hello, {expected}.", answer.Text);
        }
    }

    private static async Task AnswersToAllAsync(
        TestServer server, SharedMemoryMode mode, string expected, bool waitsForHeaders = true)
    {
        using var channel = SharedMemoryChannel.CreateGrpcChannel("greeter", Options(server, mode));
        using var call = new Greeter.GreeterClient(channel).GreetAll(null, TimeLimit.Deadline, Token);
        await call.RequestStream.WriteAsync(new Greeting { Name = "Ada" }, Token);
        if (waitsForHeaders)
        {
            await call.ResponseHeadersAsync;
        }

        await call.RequestStream.WriteAsync(new Greeting { Name = "Bob" }, Token);
        await call.RequestStream.CompleteAsync();
        Assert.Equal(expected, (await call).Text);
    }

    private static SharedMemoryClientOptions Options(TestServer server, SharedMemoryMode mode) =>
        new() { RuntimeDirectory = server.Directory, Mode = mode };

    private static Task<TestServer> StartAsync(Func<HttpContext, RequestDelegate, Task> middleware) =>
        TestServer.StartAsync(builder =>
    {
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("greeter"));
        builder.Services.AddSingleton<IStartupFilter>(new MiddlewareFilter(middleware));
    });

    /// <summary>Reads from another stream, or writes to it, and replaces one name by another.</summary>
    private sealed class ReplacingStream(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            Replace(buffer.Span[..count]);
            return count;
        }

        public override async ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var replaced = buffer.ToArray();
            Replace(replaced);
            await inner.WriteAsync(replaced, cancellationToken);
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        // A single letter could also be a length.
        private static void Replace(Span<byte> bytes)
        {
            for (var i = bytes.IndexOf("Ada"u8); i >= 0; i = bytes.IndexOf("Ada"u8))
            {
                bytes[i] = (byte)'I';
            }
        }
    }
}
