using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using GrpcShm.Client;
using GrpcShm.Hosting.Tests.Observing;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;

namespace GrpcShm.Hosting.Tests;

/// <summary>Requests that are not gRPC, through the same handler as gRPC calls.</summary>
[Collection(Alone.Name)]
public sealed class PlainRequestTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/report?a=b", null)]
    [InlineData("GET", "/one", null)]
    [InlineData("GET", "/a%20b/%C3%A4", null)]
    [InlineData("DELETE", "/report/1", null)]
    [InlineData("OPTIONS", "/report/1", null)]
    [InlineData("POST", "/report/json", "application/json")]
    [InlineData("POST", "/greeter.Greeter/Greet", "application/grpc-web")]
    [InlineData("POST", "/greeter.Greeter/Greet", "application/grpc-web-text")]
    [InlineData("PUT", "/report/text", "text/plain; charset=utf-8")]
    public async Task Request_OfAnyKind_GoesOverHttp2BesideCalls(string method, string target, string? contentType)
    {
        await using var plain = await PlainClient.StartAsync();
        Assert.Equal("direct", await plain.GreetAsync());
        using var request = new HttpRequestMessage(new HttpMethod(method), "http://localhost" + target);
        if (contentType is not null)
        {
            request.Content = new StringContent("content");
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        }

        using var response = await plain.Http.SendAsync(request, Token).WaitAsync(TimeLimit.Value, Token);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["http2"], response.Headers.GetValues(ModeFilter.Header));
        Assert.Equal(
            $"{method} {target} {contentType} HTTP/2 {(contentType is null ? "" : "content")}",
            await response.Content.ReadAsStringAsync(Token).WaitAsync(TimeLimit.Value, Token));
        Assert.Equal("direct", await plain.GreetAsync());
        Assert.Equal(2, plain.CountConnections());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Call_WithHeadersTooLargeForDirectMode_GoesOverHttp2WhetherItIsObservedOrNot(bool isObserved)
    {
        await using var plain = await PlainClient.StartAsync(static kestrel =>
        {
            kestrel.Limits.MaxRequestHeadersTotalSize = 200_000;
            kestrel.ListenSharedMemory("greeter");
        });
        Assert.Equal("direct", await plain.GreetAsync());
        using var parent = isObserved ? new Activity("parent").Start() : null;
        var spans = new System.Collections.Concurrent.ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => isObserved && source.Name == "System.Net.Http",
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                options.Parent.TraceId == parent?.TraceId
                    ? ActivitySamplingResult.AllDataAndRecorded
                    : ActivitySamplingResult.None,
            ActivityStopped = span =>
            {
                if (span.Recorded && span.TraceId == parent?.TraceId)
                {
                    spans.Enqueue(span);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        var headers = new Grpc.Core.Metadata();
        for (var i = 0; i < 7; i++)
        {
            headers.Add($"x-large-{i}", new string('a', 10_000));
        }

        var mode = await plain.GreetAsync(headers);

        Assert.Equal("http2", mode);
        if (isObserved)
        {
            // Only gRPC's own span is between the two.
            Assert.Equal(parent!.SpanId, Assert.Single(spans).Parent?.ParentSpanId);
        }
    }

    [Fact]
    public async Task Head_HasTheLengthAndNoBody()
    {
        await using var plain = await PlainClient.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Head, "http://localhost/file");

        using var response = await plain.Http.SendAsync(request, Token).WaitAsync(TimeLimit.Value, Token);

        Assert.Equal(PlainApplication.FileSize, response.Content.Headers.ContentLength);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Token).WaitAsync(TimeLimit.Value, Token));
    }

    [Fact]
    public async Task File_IsDownloadedWhileCallsGoOn()
    {
        await using var plain = await PlainClient.StartAsync();

        var download =
            plain.Http.GetByteArrayAsync(new Uri("http://localhost/file"), Token).WaitAsync(TimeLimit.Value, Token);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("direct", await plain.GreetAsync());
        }

        Assert.Equal(PlainApplication.CreateFile(), await download);
    }

    [Fact]
    public async Task Upload_IsReadWhole()
    {
        await using var plain = await PlainClient.StartAsync();
        using var content = new StreamContent(new MemoryStream(PlainApplication.CreateFile()));

        using var response = await plain.Http.PostAsync(new Uri("http://localhost/upload"), content, Token)
            .WaitAsync(TimeLimit.Value, Token);

        Assert.Equal(
            PlainApplication.FileSize.ToString(System.Globalization.CultureInfo.InvariantCulture),
            await response.Content.ReadAsStringAsync(Token).WaitAsync(TimeLimit.Value, Token));
    }

    [Fact]
    public async Task ServerSentEvents_ComeOneByOne()
    {
        await using var plain = await PlainClient.StartAsync();
        await using var stream = await plain.Http.GetStreamAsync(new Uri("http://localhost/events"), Token)
            .WaitAsync(TimeLimit.Value, Token);
        using var reader = new StreamReader(stream);

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal($"data: {i}", await reader.ReadLineAsync(Token).AsTask().WaitAsync(TimeLimit.Value, Token));
            Assert.Equal("", await reader.ReadLineAsync(Token).AsTask().WaitAsync(TimeLimit.Value, Token));
            Assert.Equal("direct", await plain.GreetAsync());
            plain.Application.NextEvent.Release();
        }

        Assert.Null(await reader.ReadLineAsync(Token).AsTask().WaitAsync(TimeLimit.Value, Token));
    }

    [Fact]
    public async Task WebSocket_EchoesBesideCalls()
    {
        await using var plain = await PlainClient.StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using var invoker = new HttpMessageInvoker(plain.Handler, disposeHandler: false);

        await socket.ConnectAsync(new Uri("ws://localhost/socket"), invoker, Token).WaitAsync(TimeLimit.Value, Token);
        for (var i = 0; i < 3; i++)
        {
            var message = Encoding.UTF8.GetBytes($"message {i}");
            await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, Token)
                .WaitAsync(TimeLimit.Value, Token);
            var buffer = new byte[100];
            var received = await socket.ReceiveAsync(buffer, Token).WaitAsync(TimeLimit.Value, Token);
            Assert.Equal($"message {i}", Encoding.UTF8.GetString(buffer, 0, received.Count));
            Assert.Equal("direct", await plain.GreetAsync());
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Token).WaitAsync(TimeLimit.Value, Token);
    }

    [Theory]
    [InlineData(1, 1, HttpVersionPolicy.RequestVersionOrLower)]
    [InlineData(1, 0, HttpVersionPolicy.RequestVersionOrLower)]
    [InlineData(1, 1, HttpVersionPolicy.RequestVersionOrHigher)]
    [InlineData(2, 0, HttpVersionPolicy.RequestVersionOrLower)]
    [InlineData(2, 0, HttpVersionPolicy.RequestVersionExact)]
    [InlineData(3, 0, HttpVersionPolicy.RequestVersionOrLower)]
    public async Task Version_ThatMayBe2_Is2AndIsLeftToItsOwner(int major, int minor, HttpVersionPolicy policy)
    {
        await using var plain = await PlainClient.StartAsync();
        var version = new Version(major, minor);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://localhost/one")
        {
            Version = version,
            VersionPolicy = policy,
        };

        using var response = await plain.Http.SendAsync(request, Token).WaitAsync(TimeLimit.Value, Token);

        Assert.Equal(HttpVersion.Version20, response.Version);
        Assert.Equal((version, policy), (request.Version, request.VersionPolicy));
    }

    [Fact]
    public async Task Version_ThatIsExactly1_IsRefused()
    {
        await using var plain = await PlainClient.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://localhost/one")
        {
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var response = await plain.Http.SendAsync(request, Token).WaitAsync(TimeLimit.Value, Token);

        // This is Kestrel's own answer to HTTP/1.1 on an endpoint that speaks HTTP/2 only.
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("direct", await plain.GreetAsync());
    }

    [Fact]
    public async Task Call_WithAHeaderThatNoMakeOfHttp2Sends_FailsAsOverHttp2()
    {
        await using var plain = await PlainClient.StartAsync();
        using var http2 = SharedMemoryChannel.CreateHandler(
            "greeter",
            new SharedMemoryClientOptions
            {
                RuntimeDirectory = plain.Directory, Mode = SharedMemoryMode.Http2, ConnectTimeout = TimeLimit.Value,
            });
        using var ofHttp2 = new HttpMessageInvoker(http2);
        using var ofAuto = new HttpMessageInvoker(plain.Handler, disposeHandler: false);

        var expected = await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(ofHttp2));
        var actual = await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(ofAuto));

        Assert.Equal((expected.Message, expected.HttpRequestError), (actual.Message, actual.HttpRequestError));
        Assert.Equal("direct", await plain.GreetAsync());

        static async Task SendAsync(HttpMessageInvoker invoker)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost/greeter.Greeter/Greet")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new ByteArrayContent([0, 0, 0, 0, 0]),
            };
            request.Content.Headers.ContentType = new("application/grpc");
            request.Headers.TE.ParseAdd("trailers");
            request.Headers.TryAddWithoutValidation("x-value", "\u00e4");
            using var response = await invoker.SendAsync(request, Token).WaitAsync(TimeLimit.Value, Token);
        }
    }

    [Fact]
    public async Task Spans_OfBothKinds_AreOneEach()
    {
        await using var plain = await PlainClient.StartAsync();
        using var parent = new Activity("parent").Start();
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "System.Net.Http",
            Sample =
                static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                lock (spans)
                {
                    // Other tests have connections at the same time.
                    if (span.TraceId == parent.TraceId && span.OperationName == "System.Net.Http.HttpRequestOut")
                    {
                        spans.Add(span);
                    }
                }
            },
        };
        ActivitySource.AddActivityListener(listener);

        for (var i = 0; i < 2; i++)
        {
            using var response = await plain.Http.GetAsync(new Uri("http://localhost/one"), Token)
                .WaitAsync(TimeLimit.Value, Token);
            Assert.Equal("direct", await plain.GreetAsync());
        }

        lock (spans)
        {
            Assert.Equal(["GET", "POST", "GET", "POST"], spans.Select(static span => span.DisplayName));
        }
    }

    [Fact]
    public async Task Request_ToAServerWithoutDirectMode_KeepsItsVersion()
    {
        await using var plain = await PlainClient.StartAsync(static kestrel => kestrel.ListenSharedMemory(
            "greeter",
            static listen => listen.Protocols = Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1AndHttp2));

        using var response = await plain.Http.GetAsync(new Uri("http://localhost/one"), Token)
            .WaitAsync(TimeLimit.Value, Token);

        Assert.Equal(HttpVersion.Version11, response.Version);
    }
}
