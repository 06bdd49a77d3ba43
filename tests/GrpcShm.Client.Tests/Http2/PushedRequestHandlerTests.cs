using System.Net;
using System.Net.Http.Headers;
using GrpcShm.Client.Http2;

namespace GrpcShm.Client.Tests.Http2;

/// <summary>Requests whose bodies other code writes than their contents, as for streaming calls.</summary>
public sealed class PushedRequestHandlerTests
{
    private static readonly byte[] Message = [1, 2, 3, 4, 5];

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Write_ContentFailsMeanwhile_EndsBeforeTheContentDoes()
    {
        var pushed = new Pushed();
        var body = new HeldStream();
        var sending = pushed.SendAsync(body);
        var stream = await pushed.Stream.InTime();
        var write = stream.WriteAsync(Message, CancellationToken.None).AsTask();
        await body.WriteBegun.InTime();

        pushed.End.SetException(new OperationCanceledException("The response has been read."));
        await body.WriteCancelled.InTime();

        // The transport must send the end of a failed content behind the bytes that it writes.
        Assert.False(sending.IsCompleted);
        Assert.False(write.IsCompleted);
        body.ReleaseWrite();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.InTime());
        var failure = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending.InTime());
        Assert.Equal("The response has been read.", failure.Message);
    }

    [Fact]
    public async Task Write_ContentHasFailed_IsRefused()
    {
        var pushed = new Pushed();
        var body = new HeldStream();
        var sending = pushed.SendAsync(body);
        var stream = await pushed.Stream.InTime();
        pushed.End.SetException(new InvalidOperationException("No more."));
        await Assert.ThrowsAsync<InvalidOperationException>(() => sending.InTime());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream.WriteAsync(Message, TestToken).InTime());

        Assert.Equal(0, body.Writes);
    }

    [Fact]
    public async Task Write_IsCancelledByItsCaller_Ends()
    {
        var pushed = new Pushed();
        var body = new HeldStream();
        var sending = pushed.SendAsync(body);
        using var cancellation = new CancellationTokenSource();
        var write = (await pushed.Stream.InTime()).WriteAsync(Message, cancellation.Token).AsTask();
        await body.WriteBegun.InTime();

        cancellation.Cancel();
        body.ReleaseWrite();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.InTime());
        pushed.End.SetResult();
        await sending.InTime();
    }

    [Fact]
    public async Task Write_ContentGoesOn_ArrivesAsItIs()
    {
        var pushed = new Pushed();
        using var body = new MemoryStream();
        var sending = pushed.SendAsync(body);
        var stream = await pushed.Stream.InTime();

        await stream.WriteAsync(Message, TestToken).InTime();
        await stream.FlushAsync(TestToken).InTime();
        await stream.WriteAsync(Message, TestToken).InTime();
        pushed.End.SetResult();
        await sending.InTime();

        Assert.Equal([.. Message, .. Message], body.ToArray());
    }

    [Fact]
    public async Task Send_ContentOfGrpc_KeepsItsHeadersAndGoesWithTheRequest()
    {
        var isDisposed = false;
        var content = new DisposableContent(() => isDisposed = true);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        content.Headers.Add("X-Twice", ["one", "two"]);
        var (request, sent) = await SendAsync(content);

        Assert.NotSame(content, sent);
        Assert.Equal(content.Headers.Select(Line), sent!.Headers.Select(Line));
        request.Dispose();
        Assert.True(isDisposed);

        static string Line(KeyValuePair<string, IEnumerable<string>> header) =>
            $"{header.Key}: {string.Join(", ", header.Value)}";
    }

    [Fact]
    public async Task Send_SameRequestTwice_IsWrappedOnce()
    {
        using var transport = new Transport(_ => Task.CompletedTask);
        using var invoker = new HttpMessageInvoker(new PushedRequestHandler(transport));
        using var request = Post(Pushed.CreateContent(_ => Task.CompletedTask));

        using var first = await invoker.SendAsync(request, TestToken).InTime();
        var content = request.Content;
        using var second = await invoker.SendAsync(request, TestToken).InTime();

        Assert.Same(content, request.Content);
    }

    [Fact]
    public async Task Send_OtherContentOrNone_IsLeftAsItIs()
    {
        var content = new StringContent("text");

        Assert.Same(content, (await SendAsync(content)).Sent);
        Assert.Null((await SendAsync(null)).Sent);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SendAgain_ContentHandedItsStreamOut_FailsAndSendsNothing(bool wasWritten)
    {
        using var first = new MemoryStream();
        using var second = new MemoryStream();
        var isReady = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var pushed = new Pushed();
        using var transport = new Transport(async request =>
        {
            var attempt = request.Content!.CopyToAsync(first, TestToken);
            await isReady.Task;
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => request.Content!.CopyToAsync(second, TestToken));
            pushed.End.SetResult();
            await attempt;
        });
        var sending = pushed.SendAsync(transport);

        var stream = await pushed.Stream.InTime();
        if (wasWritten)
        {
            await stream.WriteAsync(Message, TestToken).InTime();
        }

        isReady.SetResult();
        await sending.InTime();

        Assert.Equal(wasWritten ? Message : [], first.ToArray());
        Assert.Empty(second.ToArray());
    }

    [Fact]
    public async Task SendAgain_StreamEndedWithoutAMessage_IsThatAgain()
    {
        using var transport = new Transport(request => CopyAsync(request, times: 2));
        await SendAsync(transport, Pushed.CreateContent(_ => Task.CompletedTask));
    }

    [Fact]
    public async Task SendAgain_ContentCountsWhatItHasWritten_Fails()
    {
        // gRPC's content does so for a call with a retry policy.
        var hasWritten = false;
        var content = Pushed.CreateContent(async stream =>
        {
            if (!hasWritten)
            {
                hasWritten = true;
                await stream.WriteAsync(Message, TestToken);
            }
        });
        using var transport = new Transport(request => CopyAsync(request, times: 2));
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(transport, content));
    }

    [Fact]
    public async Task SendAgain_ContentWroteAfterItHadWaited_FailsAndSendsNothing()
    {
        using var first = new MemoryStream();
        using var second = new MemoryStream();
        using var transport = new Transport(async request =>
        {
            await request.Content!.CopyToAsync(first, TestToken);
            await request.Content!.CopyToAsync(second, TestToken);
        });
        var content = Pushed.CreateContent(async stream =>
        {
            await Task.Yield();
            await stream.WriteAsync(Message, TestToken);
        });
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(transport, content));
        Assert.Equal(Message, first.ToArray());
        Assert.Empty(second.ToArray());
    }

    [Fact]
    public async Task SendAgain_ContentWritesItself_IsWholeEachTime()
    {
        using var first = new MemoryStream();
        using var second = new MemoryStream();
        using var transport = new Transport(async request =>
        {
            await request.Content!.CopyToAsync(first, TestToken);
            await request.Content!.CopyToAsync(second, TestToken);
        });
        await SendAsync(transport, Pushed.CreateContent(stream => stream.WriteAsync(Message, TestToken).AsTask()));

        Assert.Equal(Message, first.ToArray());
        Assert.Equal(Message, second.ToArray());
    }

    [Theory]
    [InlineData("no stream")]
    [InlineData("above the last stream")]
    [InlineData("refused")]
    public async Task Send_NoConnectionTakesIt_IsSentUntilOneDoes(string failure)
    {
        var rounds = 0;
        using var transport = new Transport(request =>
        {
            // The handler by itself does not give up at once.
            PushedRequestHandler.NoteHeader(request, "TE");
            PushedRequestHandler.NoteHeader(request, "Content-Type");
            PushedRequestHandler.NoteHeader(request, "TE");
            return ++rounds < 10 ? Task.FromException(CreateFailure(failure)) : Task.CompletedTask;
        });
        await SendAsync(transport, Pushed.CreateContent(_ => Task.CompletedTask));
        Assert.Equal(10, rounds);
    }

    [Theory]
    [InlineData("stream ended")]
    [InlineData("stream ended by an error")]
    [InlineData("connection lost")]
    [InlineData("response too large")]
    public async Task Send_ServerMayHaveBegunIt_FailsAtOnce(string failure)
    {
        var rounds = 0;
        using var transport = new Transport(_ =>
        {
            rounds++;
            return Task.FromException(CreateFailure(failure));
        });
        await Assert.ThrowsAsync<HttpRequestException>(
            () => SendAsync(transport, Pushed.CreateContent(_ => Task.CompletedTask)));
        Assert.Equal(1, rounds);
    }

    [Fact]
    public async Task Send_HandlerHasTriedItOnce_FailsAtOnce()
    {
        // The handler fails in this way for a request that it can never send.
        var rounds = 0;
        using var transport = new Transport(request =>
        {
            rounds++;
            PushedRequestHandler.NoteHeader(request, "TE");
            PushedRequestHandler.NoteHeader(request, "Content-Type");
            return Task.FromException(CreateFailure("no stream"));
        });
        var failure = await Assert.ThrowsAsync<HttpRequestException>(
            () => SendAsync(transport, Pushed.CreateContent(_ => Task.CompletedTask)));
        Assert.Null(failure.InnerException);
        Assert.Equal(1, rounds);
    }

    [Fact]
    public async Task Send_NoConnectionEverTakesIt_FailsInTheEnd()
    {
        var rounds = 0;
        using var transport = new Transport(_ =>
        {
            rounds++;
            return Task.FromException(CreateFailure("above the last stream"));
        });
        var failure = await Assert.ThrowsAsync<HttpRequestException>(
            () => SendAsync(transport, Pushed.CreateContent(_ => Task.CompletedTask)));
        Assert.IsType<IOException>(failure.InnerException);
        Assert.Equal(32, rounds);
    }

    [Fact]
    public async Task Send_IsCancelledWhileNoConnectionTakesIt_Ends()
    {
        using var cancellation = new CancellationTokenSource();
        using var transport = new Transport(_ =>
        {
            cancellation.Cancel();
            return Task.FromException(CreateFailure("refused"));
        });
        using var invoker = new HttpMessageInvoker(new PushedRequestHandler(transport));
        using var request = Post(Pushed.CreateContent(_ => Task.CompletedTask));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => invoker.SendAsync(request, cancellation.Token).InTime());
    }

    // The exceptions are those of SocketsHttpHandler: see RefusedRequestTests.
    private static HttpRequestException CreateFailure(string failure) => failure switch
    {
        "no stream" => new HttpRequestException("The request was aborted."),
        "above the last stream" => new HttpRequestException(
            "The request was aborted.", new HttpProtocolException(0, "The server closed.", null)),
        "refused" => new HttpRequestException(
            "The request was aborted.", new HttpProtocolException(7, "The server reset.", null)),
        "stream ended" => Show(new HttpProtocolException(0, "The server reset.", null)),
        "stream ended by an error" => Show(new HttpProtocolException(2, "The server reset.", null)),
        "connection lost" => new HttpRequestException("An error occurred.", new IOException("The end.")),
        _ => new HttpRequestException(HttpRequestError.ConfigurationLimitExceeded, "Too large."),
    };

    private static HttpRequestException Show(HttpProtocolException reason) =>
        new(reason.HttpRequestError, reason.Message, reason);

    private static async Task CopyAsync(HttpRequestMessage request, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await request.Content!.CopyToAsync(Stream.Null, TestToken);
        }
    }

    private static async Task SendAsync(Transport transport, HttpContent content)
    {
        using var invoker = new HttpMessageInvoker(new PushedRequestHandler(transport));
        using var request = Post(content);
        using var response = await invoker.SendAsync(request, TestToken).InTime();
    }

    private static async Task<(HttpRequestMessage Request, HttpContent? Sent)> SendAsync(HttpContent? content)
    {
        HttpContent? sent = null;
        using var transport = new Transport(request =>
        {
            sent = request.Content;
            return Task.CompletedTask;
        });
        using var invoker = new HttpMessageInvoker(new PushedRequestHandler(transport));
        var request = Post(content);
        using var response = await invoker.SendAsync(request, TestToken).InTime();
        return (request, sent);
    }

    private static HttpRequestMessage Post(HttpContent? content) =>
        new(HttpMethod.Post, "http://localhost/") { Content = content };

    /// <summary>A request whose content hands out its stream and waits until the test ends it.</summary>
    private sealed class Pushed
    {
        private readonly TaskCompletionSource<Stream> _stream = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<Stream> Stream => _stream.Task;

        public static DelegateContent CreateContent(Func<Stream, Task> write) =>
            new(write) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } };

        public async Task SendAsync(Stream body)
        {
            using var transport = new Transport(request => request.Content!.CopyToAsync(body, TestToken));
            await SendAsync(transport);
        }

        public Task SendAsync(Transport transport) =>
            PushedRequestHandlerTests.SendAsync(transport, CreateContent(stream =>
        {
            // As in gRPC, only the first stream is handed out.
            _stream.TrySetResult(stream);
            return End.Task;
        }));
    }

    private sealed class Transport(Func<HttpRequestMessage, Task> send) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await send(request);
            return new HttpResponseMessage(HttpStatusCode.OK);
        }
    }

    private sealed class DisposableContent(Action dispose) : ByteArrayContent(Message)
    {
        protected override void Dispose(bool disposing)
        {
            dispose();
            base.Dispose(disposing);
        }
    }
}
