using System.Net;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>Requests that connections refuse, over .NET's own HTTP/2.</summary>
public sealed class RefusedRequestTests : IAsyncLifetime
{
    // SocketsHttpHandler makes four attempts.
    private const int Refusals = 10;

    private readonly TestEndPoint _endPoint = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _endPoint.Listen();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _endPoint.DisposeAsync();

    [Theory]
    [InlineData("stops before it")]
    [InlineData("refuses it")]
    public async Task Send_ManyConnectionsRefuseIt_IsSentUntilOneTakesIt(string how)
    {
        using var invoker = CreateInvoker();
        var sending = SendAsync(invoker);
        for (var i = 0; i < Refusals; i++)
        {
            await using var peer = await AcceptAsync();
            var stream = await peer.RequestAsync();
            if (how == "refuses it")
            {
                await peer.ResetAsync(stream, error: 7);
            }

            await peer.GoAwayAsync(stream - 1);
        }

        await using var taker = await AcceptAsync();
        await taker.AnswerAsync(await taker.RequestAsync());
        using var response = await sending.InTime();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("stops after it")]
    [InlineData("ends it without an error")]
    [InlineData("ends it with an error")]
    public async Task Send_SecondServerMayHaveBegunIt_FailsAndIsNotSentAgain(string how)
    {
        using var invoker = CreateInvoker();
        var sending = SendAsync(invoker);
        await using (var first = await AcceptAsync())
        {
            await first.GoAwayAsync(await first.RequestAsync() - 1);
        }

        await using (var second = await AcceptAsync())
        {
            var stream = await second.RequestAsync();
            await (how switch
            {
                "stops after it" => second.GoAwayAsync(stream),
                "ends it without an error" => second.ResetAsync(stream, error: 0),
                _ => second.ResetAsync(stream, error: 2),
            });
        }

        // If the request were sent again, it would wait for a server that takes it.
        await Assert.ThrowsAsync<HttpRequestException>(() => sending.InTime());
    }

    [Fact]
    public async Task Call_SentAMessageToAServerThatDidNotTakeIt_IsUnavailable()
    {
        using var handler = CreateHandler();
        using var channel = GrpcChannel.ForAddress(
            "http://localhost", new GrpcChannelOptions { HttpHandler = handler });
        var text = Marshallers.Create(Encoding.UTF8.GetBytes, Encoding.UTF8.GetString);
        var method = new Method<string, string>(MethodType.ClientStreaming, "test", "Collect", text, text);
        using var call = channel.CreateCallInvoker().AsyncClientStreamingCall(
            method, null, new CallOptions(cancellationToken: Token));
        var writing = call.RequestStream.WriteAsync("message", Token);
        await using (var first = await AcceptAsync())
        {
            await first.RequestAsync();
            await first.DataAsync();
            await writing.InTime();
            await first.GoAwayAsync(lastStream: 0);
        }

        // The next server must not take the request for a stream without messages.
        await using var second = await AcceptAsync();
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.InTime());
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("its own")]
    [InlineData("its own later")]
    [InlineData("taken away later")]
    public async Task Send_SelectorOfWhoeverConfigured_IsAskedAndAttemptsAreCounted(string selector)
    {
        var asked = new System.Collections.Concurrent.ConcurrentQueue<string>();
        SocketsHttpHandler? inner = null;
        var own = (string name, HttpRequestMessage _) =>
        {
            asked.Enqueue(name);
            return (Encoding?)null;
        };
        using var handler = CreateHandler(configured =>
        {
            inner = configured;
            configured.RequestHeaderEncodingSelector = selector is "its own" or "taken away later" ? own.Invoke : null;
        });
        inner!.RequestHeaderEncodingSelector = selector switch
        {
            "its own later" => own.Invoke,
            "taken away later" => null,
            _ => inner.RequestHeaderEncodingSelector,
        };
        using var invoker = new HttpMessageInvoker(handler);
        var request = CreateRequest();
        var sending = invoker.SendAsync(request, Token);
        await using (var first = await AcceptAsync())
        {
            await first.GoAwayAsync(await first.RequestAsync() - 1);
        }

        await using var taker = await AcceptAsync();
        await taker.AnswerAsync(await taker.RequestAsync());
        using var response = await sending.InTime();

        // The handler may also have tried the first connection once more.
        var attempts = Assert.IsType<GrpcShm.Client.Http2.PushedContent>(request.Content).Attempts;
        Assert.InRange(attempts, 2, 4);
        Assert.Equal(
            selector.StartsWith("its own", StringComparison.Ordinal) ? attempts : 0,
            asked.Count(static name => name == "Content-Type"));
    }

    private static Task<HttpResponseMessage> SendAsync(HttpMessageInvoker invoker) =>
        invoker.SendAsync(CreateRequest(), Token);

    private static HttpRequestMessage CreateRequest()
    {
        var content = new DelegateContent(stream => stream.WriteAsync(new byte[] { 0, 0, 0, 0, 0 }, Token).AsTask());
        content.Headers.ContentType = new("application/grpc");
        return new HttpRequestMessage(HttpMethod.Post, "http://localhost/call")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
    }

    private HttpMessageInvoker CreateInvoker() => new(CreateHandler());

    private HttpMessageHandler CreateHandler(Action<SocketsHttpHandler>? configure = null) =>
        SharedMemoryChannel.CreateHandler(
        _endPoint.EndPoint.ToString(),
        new SharedMemoryClientOptions
        {
            RuntimeDirectory = _endPoint.Directory,
            Mode = SharedMemoryMode.Http2,
            ConnectTimeout = TimeLimit.Value,
            ConfigureHandler = configure,
        });

    private async Task<Http2Peer> AcceptAsync()
    {
        var peer = new Http2Peer(await _endPoint.AcceptAsync());
        await peer.BeginAsync();
        return peer;
    }
}
