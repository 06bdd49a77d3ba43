using System.Net;
using System.Net.Http.Headers;
using GrpcShm.Client.Http2;

namespace GrpcShm.Transport.Tests.Client;

/// <summary>Requests whose bodies are written by others than their contents, as those of streaming calls are.</summary>
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

        // What the transport sends at a failed content's end has to stand behind what it writes.
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

        static string Line(KeyValuePair<string, IEnumerable<string>> header) => $"{header.Key}: {string.Join(", ", header.Value)}";
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

    private static HttpRequestMessage Post(HttpContent? content) => new(HttpMethod.Post, "http://localhost/") { Content = content };

    /// <summary>A request whose content gives its stream away and waits for its end.</summary>
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
            using var invoker = new HttpMessageInvoker(new PushedRequestHandler(transport));
            using var request = Post(CreateContent(stream =>
            {
                _stream.SetResult(stream);
                return End.Task;
            }));
            using var response = await invoker.SendAsync(request, TestToken);
        }
    }

    private sealed class Transport(Func<HttpRequestMessage, Task> send) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
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
