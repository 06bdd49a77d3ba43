using System.Diagnostics;
using System.Net;
using System.Text;
using Grpc.Core;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>How requests are sent in direct mode.</summary>
public sealed class DirectRequestTests
{
    [Fact]
    public async Task Headers_OfEveryKind_ArriveAsOverHttp2()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        using var request = Responses.Post(new ByteArrayContent([1, 2]));
        request.RequestUri = new Uri("http://[::1]:8080/test.Fake/Call");
        request.Headers.Host = "elsewhere:1";
        request.Headers.Add("X-Twice", ["one", "two"]);
        request.Headers.UserAgent.ParseAdd("a/1 b/2");

        using var response = await invoker.SendAsync(request, TestContext.Current.CancellationToken).InTime();

        var call = await (await server.AcceptedAsync()).NextCallAsync();
        var headers = (await call.HeadersReceived.InTime()).ToDictionary(h => h.Name, h => h.Value);
        Assert.Equal(
            new Dictionary<string, string>
            {
                [":method"] = "POST",
                [":scheme"] = "http",
                [":authority"] = "elsewhere:1",
                [":path"] = "/test.Fake/Call",
                ["te"] = "trailers",
                ["x-twice"] = "one, two",
                ["user-agent"] = "a/1 b/2",
                ["content-type"] = "application/grpc",
                ["content-length"] = "2",
            },
            headers);
    }

    [Fact]
    public async Task Headers_WithoutHost_NameTheAddress()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        using var request = Responses.Post(new DelegateContent(static _ => Task.CompletedTask));
        request.RequestUri = new Uri("http://[::1]:8080/a/b/c");

        using var response = await invoker.SendAsync(request, TestContext.Current.CancellationToken).InTime();

        var headers = await (await (await server.AcceptedAsync()).NextCallAsync()).HeadersReceived.InTime();
        Assert.Equal(
            [
                (":method", "POST"), (":scheme", "http"), (":path", "/a/b/c"), (":authority", "[::1]:8080"),
                ("te", "trailers"), ("content-type", "application/grpc"),
            ],
            headers);
    }

    [Theory]
    [InlineData("method", "its method is PUT")]
    [InlineData("version", "its version is 1.1")]
    [InlineData("query", "its address")]
    [InlineData("one segment", "its address")]
    [InlineData("empty segment", "its address")]
    [InlineData("escape", "its address")]
    [InlineData("dots", "its address")]
    [InlineData("scheme", "its address")]
    [InlineData("no content", "no content")]
    [InlineData("no content-type", "no content-type")]
    [InlineData("grpc-web", "application/grpc-web")]
    [InlineData("json", "application/json")]
    [InlineData("no te", "'te: trailers'")]
    [InlineData("te", "'te: trailers, gzip'")]
    [InlineData("host", "its host")]
    [InlineData("host with a port that is none", "its host")]
    [InlineData("connection", "'Connection'")]
    [InlineData("keep-alive", "'Keep-Alive'")]
    [InlineData("proxy-connection", "'Proxy-Connection'")]
    [InlineData("transfer-encoding", "'Transfer-Encoding'")]
    [InlineData("upgrade", "'Upgrade'")]
    [InlineData("expect", "'Expect'")]
    [InlineData("not ASCII", "'x-value'")]
    [InlineData("control character", "'x-value'")]
    [InlineData("too large", "'x-value'")]
    public async Task Request_ThatIsNotGrpc_IsRefusedInWordsWhereThereIsNoOtherWay(string kind, string reason)
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        server.Options.Mode = SharedMemoryMode.Direct;
        using var invoker = server.CreateInvoker();
        using var first = await invoker.SendAsync(Responses.Post(null), TestContext.Current.CancellationToken).InTime();
        using var request = Responses.Post(null);
        Spoil(request, kind);

        var exception = await Assert.ThrowsAsync<HttpRequestException>(
            () => invoker.SendAsync(request, TestContext.Current.CancellationToken).InTime());

        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        Assert.Contains("Mode at Auto", exception.Message, StringComparison.Ordinal);
        using var next = await invoker.SendAsync(Responses.Post(null), TestContext.Current.CancellationToken).InTime();
        Assert.Equal(1, server.Accepted);
        Assert.Equal(2, server.CallsTaken);
    }

    [Theory]
    [InlineData("application/grpc")]
    [InlineData("application/grpc+proto")]
    [InlineData("application/grpc; charset=utf-8")]
    public async Task ContentType_OfGrpc_IsCarried(string contentType)
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        using var request = Responses.Post(null);
        request.Content!.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse(contentType);

        using var response = await invoker.SendAsync(request, TestContext.Current.CancellationToken).InTime();

        var received = await (await server.AcceptedAsync()).NextCallAsync();
        Assert.Contains(("content-type", contentType), await received.HeadersReceived.InTime());
    }

    [Theory]
    [InlineData("/a/b", true)]
    [InlineData("/package.Service/Method", true)]
    [InlineData("/a/b/c_~-9", true)]
    [InlineData("/a/...", true)]
    [InlineData("", false)]
    [InlineData("/", false)]
    [InlineData("*", false)]
    [InlineData("/a", false)]
    [InlineData("/a/", false)]
    [InlineData("/a/b/", false)]
    [InlineData("//a/b", false)]
    [InlineData("/a//b", false)]
    [InlineData("/a/./b", false)]
    [InlineData("/a/..", false)]
    [InlineData("/a/%62", false)]
    [InlineData("/a/b?", false)]
    [InlineData("/a/b;c", false)]
    [InlineData("/a/b\u00e4", false)]
    [InlineData("a/b", false)]
    public void Path_OfPlainSegments_IsCarried(string path, bool expected) =>
        Assert.Equal(expected, GrpcRequestRules.IsPath(path));

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("a-b.c_d~1:80", true)]
    [InlineData("[::1]", true)]
    [InlineData("[fe80::1]:65535", true)]
    [InlineData("", false)]
    [InlineData(":80", false)]
    [InlineData("a:", false)]
    [InlineData("a:b", false)]
    [InlineData("a:65536", true)]
    [InlineData("a:1:2", false)]
    [InlineData("a b", false)]
    [InlineData("a@b", false)]
    [InlineData("a,b", false)]
    [InlineData("[::1", false)]
    [InlineData("[]", false)]
    [InlineData("[::1]x", false)]
    [InlineData("[g::1]", false)]
    public void Authority_ThatEveryServerUnderstandsAlike_IsCarried(string authority, bool expected) =>
        Assert.Equal(expected, GrpcRequestRules.IsAuthority(authority));

    [Fact]
    public async Task Address_ThatIsNotHttp_IsRefused()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        server.Options.Mode = SharedMemoryMode.Direct;
        using var invoker = server.CreateInvoker();

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => invoker.SendAsync(
                new HttpRequestMessage(HttpMethod.Get, "/relative"), TestContext.Current.CancellationToken).InTime());
        await Assert.ThrowsAsync<NotSupportedException>(
            () => invoker.SendAsync(
                new HttpRequestMessage(HttpMethod.Get, "ftp://x/"), TestContext.Current.CancellationToken).InTime());
        var secure = await Assert.ThrowsAsync<HttpRequestException>(
            () => invoker.SendAsync(
                new HttpRequestMessage(HttpMethod.Get, "https://x/"), TestContext.Current.CancellationToken).InTime());
        Assert.Contains("TLS", secure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16 * 1024)]
    [InlineData(300 * 1024)]
    [InlineData(5 * 1024 * 1024)]
    public async Task Content_OfAnySize_Arrives(int size)
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        var body = Pattern.Take(7, size);

        using var response = await invoker.SendAsync(
            Responses.Post(new ReadOnlyMemoryContent(body)), TestContext.Current.CancellationToken).InTime();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(body, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken).InTime());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Content_InPieces_ArrivesInOrder(bool pauses)
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        int[] sizes = [1, 100, 20_000, 0, 15_000, 3, 17_000, 70_000, 2];
        var content = new DelegateContent(async stream =>
        {
            var position = 0;
            foreach (var size in sizes)
            {
                // Each way to write to a stream.
                var piece = Pattern.Take(position, size).ToArray();
                switch (size % 3)
                {
                    case 0:
                        await stream.WriteAsync(piece);
                        break;
                    case 1:
                        stream.Write(piece, 0, size);
                        break;
                    default:
                        await Task.Factory.FromAsync(stream.BeginWrite, stream.EndWrite, piece, 0, size, null);
                        await stream.FlushAsync();
                        break;
                }

                position += size;
                if (pauses)
                {
                    await Task.Yield();
                }
            }
        });

        using var response = await invoker.SendAsync(
            Responses.Post(content), TestContext.Current.CancellationToken).InTime();

        var received = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken).InTime();
        Assert.Equal(Pattern.Take(0, sizes.Sum()).ToArray(), received);
    }

    [Fact]
    public async Task Flush_ContentHasEnded_DoesNothing()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        Stream? kept = null;
        var content = new DelegateContent(stream =>
        {
            kept = stream;
            return Task.CompletedTask;
        });

        using var response = await invoker.SendAsync(
            Responses.Post(content), TestContext.Current.CancellationToken).InTime();

        await kept!.FlushAsync(TestContext.Current.CancellationToken).InTime();
        kept.Flush();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => kept.FlushAsync(new CancellationToken(canceled: true)).InTime());
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => kept.WriteAsync(new byte[1], TestContext.Current.CancellationToken).InTime());
    }

    [Fact]
    public async Task Content_WritesWhileTheRequestIsLetGo_ArrivesWhole()
    {
        const int Times = 1000;
        const int Kept = 100;

        // The bytes are copied, since the buffer is the caller's, and this takes a while.
        const int Written = 15_000;
        var whole = Pattern.Take(0, Kept + Written).ToArray();
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        for (var i = 0; i < Times; i++)
        {
            // As in gRPC's streaming calls: another thread writes while the sender of the request sends the bytes that
            // were kept so far.
            using var isReady = new ManualResetEventSlim();
            var mayWrite = 0;
            var spins = i % 60;
            var content = new DelegateContent(stream =>
            {
                stream.Write(whole, 0, Kept);
                var writing = TimeLimit.OnThreads(() =>
                {
                    isReady.Set();
                    for (var begun = Stopwatch.GetTimestamp(); Volatile.Read(ref mayWrite) == 0;)
                    {
                        Assert.True(Stopwatch.GetElapsedTime(begun) < TimeLimit.Value, "Nobody lets it write.");
                    }

                    for (var left = spins * 5; left > 0; left--)
                    {
                        _ = Volatile.Read(ref mayWrite);
                    }

                    stream.Write(whole, Kept, Written);
                });
                Assert.True(isReady.Wait(TimeLimit.Value));
                Volatile.Write(ref mayWrite, 1);
                return writing;
            });

            using var response = await invoker.SendAsync(
                Responses.Post(content), TestContext.Current.CancellationToken).InTime();

            Assert.Equal(
                whole, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken).InTime());
        }
    }

    [Fact]
    public async Task Content_ThatThrowsAtOnce_IsTheCallersExceptionAndNothingIsSent()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        using var first = await invoker.SendAsync(Responses.Post(null), TestContext.Current.CancellationToken).InTime();
        var content = new DelegateContent(stream =>
        {
            stream.Write(new byte[10]);
            throw new NotFiniteNumberException();
        });

        await Assert.ThrowsAsync<NotFiniteNumberException>(
            () => invoker.SendAsync(Responses.Post(content), TestContext.Current.CancellationToken).InTime());

        using var next = await invoker.SendAsync(Responses.Post(null), TestContext.Current.CancellationToken).InTime();
        Assert.Equal(2, (await server.AcceptedAsync()).CallCount);
    }

    [Fact]
    public async Task Content_ThatThrowsLater_ResetsTheCall()
    {
        await using var server = new FakeServer(Responses.NeverAsync);
        using var invoker = server.CreateInvoker();
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var content = new DelegateContent(async stream =>
        {
            await stream.WriteAsync(new byte[10]);
            await goOn.Task;
            throw new NotFiniteNumberException();
        });

        var sending = invoker.SendAsync(Responses.Post(content), TestContext.Current.CancellationToken);
        var connection = await server.AcceptedAsync();
        var call = await connection.NextCallAsync();
        await call.HeadersReceived.InTime();
        goOn.SetResult();

        await Assert.ThrowsAsync<NotFiniteNumberException>(() => sending.InTime());
        Assert.Equal(CallError.Cancelled, (await call.Failed.InTime()).Error);
        await connection.UntilIdleAsync();
    }

    [Fact]
    public async Task Content_ThatThrowsAfterTheResponseBegan_FailsItsReader()
    {
        await using var server = new FakeServer(async call =>
        {
            call.SetHeaders((":status", "200"));
            await call.SendAsync(new byte[3]);
        });
        using var invoker = server.CreateInvoker();
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var content = new DelegateContent(async _ =>
        {
            await goOn.Task;
            throw new NotFiniteNumberException();
        });

        using var response = await invoker.SendAsync(
            Responses.Post(content), TestContext.Current.CancellationToken).InTime();
        goOn.SetResult();

        await Assert.ThrowsAsync<HttpRequestException>(
            () => response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken).InTime());
        var connection = await server.AcceptedAsync();
        await connection.UntilIdleAsync();
    }

    [Fact]
    public async Task Content_StillBeingSent_DoesNotHoldUpTheResponse()
    {
        await using var server = new FakeServer(async call =>
        {
            call.SetHeaders((":status", "200"));
            await call.SendAsync(default);
            var body = await call.ReadWholeAsync();
            await call.SendAsync(body);
            call.EndOutput();
        });
        using var invoker = server.CreateInvoker();
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var content = new DelegateContent(async stream =>
        {
            await goOn.Task;
            await stream.WriteAsync("late"u8.ToArray());
        });

        using var response = await invoker.SendAsync(
            Responses.Post(content), TestContext.Current.CancellationToken).InTime();
        goOn.SetResult();

        Assert.Equal("late", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken).InTime());
    }

    [Fact]
    public async Task Content_OfWhichTheServerWantsNoMore_EndsQuietly()
    {
        await using var server = new FakeServer(call =>
        {
            call.SetHeaders((":status", "200"));
            call.EndOutput();
            return Task.CompletedTask;
        });
        using var invoker = server.CreateInvoker();
        using var content = new EndlessContent();

        using var response = await invoker.SendAsync(
            Responses.Post(content), TestContext.Current.CancellationToken).InTime();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.IsType<OperationCanceledException>(await content.Ended.InTime(), exactMatch: false);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken).InTime());
        await (await server.AcceptedAsync()).UntilIdleAsync();
    }

    [Fact]
    public async Task Unary_OverGrpc_GoesThereAndBack()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var channel = server.CreateChannel();

        var response = await channel.CreateCallInvoker().CallAsync("hello"u8.ToArray());

        Assert.Equal("hello", Encoding.ASCII.GetString(response));
    }

    [Fact]
    public async Task ClientStream_OverGrpc_GoesThereAndBack()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var channel = server.CreateChannel();
        using var call = channel.CreateCallInvoker().AsyncClientStreamingCall(
            Responses.ClientStreaming, null, Responses.CallOptions);

        await call.RequestStream.WriteAsync("hello"u8.ToArray(), TestContext.Current.CancellationToken).InTime();
        await call.RequestStream.CompleteAsync().InTime();

        Assert.Equal("hello", Encoding.ASCII.GetString(await call.ResponseAsync.InTime()));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    private static void Spoil(HttpRequestMessage request, string kind)
    {
        var headers = request.Headers;
        switch (kind)
        {
            case "method":
                request.Method = HttpMethod.Put;
                break;
            case "version":
                request.Version = HttpVersion.Version11;
                break;
            case "query":
                request.RequestUri = new Uri(Responses.Address + "?a=b");
                break;
            case "one segment":
                request.RequestUri = new Uri("http://localhost/Call");
                break;
            case "empty segment":
                request.RequestUri = new Uri("http://localhost/test.Fake//Call");
                break;
            case "escape":
                request.RequestUri = new Uri("http://localhost/test.Fake/Call%20");
                break;
            case "dots":
                request.RequestUri = new Uri(
                    "http://localhost/test.Fake/../Call",
                    new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
                break;
            case "scheme":
                request.RequestUri = new Uri("ws://localhost/test.Fake/Call");
                break;
            case "no content":
                request.Content = null;
                break;
            case "no content-type":
                request.Content!.Headers.ContentType = null;
                break;
            case "grpc-web" or "json":
                request.Content!.Headers.ContentType = new(
                    kind == "json" ? "application/json" : "application/grpc-web");
                break;
            case "no te":
                headers.TE.Clear();
                break;
            case "te":
                headers.TE.ParseAdd("gzip");
                break;
            case "host":
                headers.TryAddWithoutValidation("Host", "two hosts");
                break;
            case "host with a port that is none":
                headers.TryAddWithoutValidation("Host", "localhost:x");
                break;
            case "not ASCII" or "control character" or "too large":
                var value = kind switch
                {
                    "not ASCII" => "\u00e4",
                    "too large" => new string('x', 70_000),
                    _ => "\u001b",
                };
                headers.TryAddWithoutValidation("x-value", value);
                break;
            default:
                headers.TryAddWithoutValidation(kind switch
                {
                    "expect" => "Expect",
                    "upgrade" => "Upgrade",
                    "connection" => "Connection",
                    "keep-alive" => "Keep-Alive",
                    "proxy-connection" => "Proxy-Connection",
                    _ => "Transfer-Encoding",
                }, "x");
                break;
        }
    }
}
