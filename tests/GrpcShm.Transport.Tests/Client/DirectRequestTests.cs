using System.Net;
using System.Text;
using Grpc.Core;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Client;

/// <summary>How requests go.</summary>
public sealed class DirectRequestTests
{
    [Fact]
    public async Task Headers_OfEveryKind_ArriveAsOverHttp2()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        var request = new HttpRequestMessage(HttpMethod.Put, "http://[::1]:8080/a%20b?c=d") { Content = new StringContent("ä") };
        request.Headers.Host = "elsewhere:1";
        request.Headers.Connection.Add("x");
        request.Headers.ExpectContinue = true;
        request.Headers.TransferEncodingChunked = true;
        request.Headers.TE.ParseAdd("trailers");
        request.Headers.Add("X-Twice", ["one", "two"]);
        request.Headers.UserAgent.ParseAdd("a/1 b/2");

        using var response = await invoker.SendAsync(request, TestContext.Current.CancellationToken).InTime();

        var call = await (await server.AcceptedAsync()).NextCallAsync();
        var headers = (await call.HeadersReceived.InTime()).ToDictionary(h => h.Name, h => h.Value);
        Assert.Equal(
            new Dictionary<string, string>
            {
                [":method"] = "PUT",
                [":scheme"] = "http",
                [":authority"] = "elsewhere:1",
                [":path"] = "/a%20b?c=d",
                ["te"] = "trailers",
                ["x-twice"] = "one, two",
                ["user-agent"] = "a/1 b/2",
                ["content-type"] = "text/plain; charset=utf-8",
                ["content-length"] = "2",
            },
            headers);
    }

    [Fact]
    public async Task Headers_WithoutHostOrContent_NameTheAddressAndNoLength()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();

        using var get = await invoker.SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://[::1]:8080/"), TestContext.Current.CancellationToken).InTime();
        using var post = await invoker.SendAsync(Responses.Post(null), TestContext.Current.CancellationToken).InTime();

        var connection = await server.AcceptedAsync();
        var headers = await (await connection.NextCallAsync()).HeadersReceived.InTime();
        Assert.Equal([(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "[::1]:8080")], headers);
        Assert.Contains(("content-length", "0"), await (await connection.NextCallAsync()).HeadersReceived.InTime());
    }

    [Theory]
    [InlineData("a\r\nb")]
    [InlineData("ä")]
    public async Task Headers_WithAValueThatNoServerWouldTake_AreRefusedAndTheConnectionLives(string value)
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        using var first = await invoker.SendAsync(Responses.Post(null), TestContext.Current.CancellationToken).InTime();
        var request = Responses.Post(null);
        request.Headers.TryAddWithoutValidation("x", value);
        if (!request.Headers.NonValidated.Contains("x"))
        {
            // .NET itself does not take a line break.
            return;
        }

        var exception = await Assert.ThrowsAsync<HttpRequestException>(() => invoker.SendAsync(request, TestContext.Current.CancellationToken).InTime());

        Assert.Contains("'x'", exception.Message, StringComparison.Ordinal);
        using var next = await invoker.SendAsync(Responses.Post(null), TestContext.Current.CancellationToken).InTime();
        Assert.Equal(1, server.Accepted);
    }

    [Fact]
    public async Task Address_ThatIsNotHttp_IsRefused()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        server.Options.Mode = GrpcShm.Client.SharedMemoryMode.Direct;
        using var invoker = server.CreateInvoker();

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => invoker.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/relative"), TestContext.Current.CancellationToken).InTime());
        await Assert.ThrowsAsync<NotSupportedException>(
            () => invoker.SendAsync(new HttpRequestMessage(HttpMethod.Get, "ftp://x/"), TestContext.Current.CancellationToken).InTime());
        var secure = await Assert.ThrowsAsync<HttpRequestException>(
            () => invoker.SendAsync(new HttpRequestMessage(HttpMethod.Get, "https://x/"), TestContext.Current.CancellationToken).InTime());
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

        using var response = await invoker.SendAsync(Responses.Post(new ReadOnlyMemoryContent(body)), TestContext.Current.CancellationToken).InTime();

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
                // Each way that a stream can be written to.
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

        using var response = await invoker.SendAsync(Responses.Post(content), TestContext.Current.CancellationToken).InTime();

        var received = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken).InTime();
        Assert.Equal(Pattern.Take(0, sizes.Sum()).ToArray(), received);
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

        await Assert.ThrowsAsync<NotFiniteNumberException>(() => invoker.SendAsync(Responses.Post(content), TestContext.Current.CancellationToken).InTime());

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

        using var response = await invoker.SendAsync(Responses.Post(content), TestContext.Current.CancellationToken).InTime();
        goOn.SetResult();

        await Assert.ThrowsAsync<HttpRequestException>(() => response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken).InTime());
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

        using var response = await invoker.SendAsync(Responses.Post(content), TestContext.Current.CancellationToken).InTime();
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

        using var response = await invoker.SendAsync(Responses.Post(content), TestContext.Current.CancellationToken).InTime();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.IsType<OperationCanceledException>(await content.Ended.InTime(), exactMatch: false);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken).InTime());
        await (await server.AcceptedAsync()).UntilIdleAsync();
    }

    [Fact]
    public async Task Content_ThatWaitsForItsSource_IsToldWhenTheResponseHasEnded()
    {
        await using var server = new FakeServer(call =>
        {
            call.SetHeaders((":status", "200"));
            call.EndOutput();
            return Task.CompletedTask;
        });
        using var invoker = server.CreateInvoker();
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var content = new DelegateContent((_, token) =>
        {
            token.Register(ended.SetResult);
            return Task.Delay(Timeout.Infinite, token);
        });

        using var response = await invoker.SendAsync(Responses.Post(content), TestContext.Current.CancellationToken).InTime();

        await ended.Task.InTime();
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
        using var call = channel.CreateCallInvoker().AsyncClientStreamingCall(Responses.ClientStreaming, null, Responses.CallOptions);

        await call.RequestStream.WriteAsync("hello"u8.ToArray(), TestContext.Current.CancellationToken).InTime();
        await call.RequestStream.CompleteAsync().InTime();

        Assert.Equal("hello", Encoding.ASCII.GetString(await call.ResponseAsync.InTime()));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }
}
