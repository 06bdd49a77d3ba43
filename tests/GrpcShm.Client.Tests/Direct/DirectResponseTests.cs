using System.Buffers;
using System.Net;
using System.Runtime.CompilerServices;
using Grpc.Core;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>How responses are read, and how calls end that have no response.</summary>
public sealed class DirectResponseTests
{
    public static TheoryData<int, StatusCode> Resets => new()
    {
        { (int)CallError.None, StatusCode.Internal },
        { (int)CallError.Protocol, StatusCode.Internal },
        { (int)CallError.Internal, StatusCode.Internal },
        { (int)CallError.Cancelled, StatusCode.Cancelled },
        { (int)CallError.TooMuch, StatusCode.ResourceExhausted },
    };

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Response_InOneFrame_HasAllItsParts()
    {
        await using var server = new FakeServer(static call =>
        {
            call.SetHeaders(
                (":status", "404"), ("content-type", "text/plain"), ("content-length", "4"), ("x-a", "1"), ("x-a", "2"),
                ("etag", "\"e\""));
            call.Output.Write("text"u8.ToArray());
            call.SetTrailers(("x-t", "end"));
            call.EndOutput();
            return Task.CompletedTask;
        });
        using var invoker = server.CreateInvoker();
        using var request = Responses.Post(null);

        using var response = await invoker.SendAsync(request, None).InTime();

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal(HttpVersion.Version20, response.Version);
        Assert.Same(request, response.RequestMessage);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(4, response.Content.Headers.ContentLength);
        Assert.Equal(["1", "2"], response.Headers.GetValues("x-a"));
        Assert.Equal("\"e\"", response.Headers.ETag?.Tag);
        Assert.Equal("text", await response.Content.ReadAsStringAsync(None).InTime());
        Assert.Equal(["end"], response.TrailingHeaders.GetValues("x-t"));
    }

    [Fact]
    public async Task Trailers_AfterTheResponse_AreThereAtItsEnd()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new FakeServer(async call =>
        {
            call.SetHeaders((":status", "200"));
            await call.SendAsync("a"u8.ToArray());
            await goOn.Task;
            await call.SendAsync("b"u8.ToArray());
            call.SetTrailers(("x-t", "end"));
            call.EndOutput();
        });
        using var invoker = server.CreateInvoker();

        using var response = await invoker.SendAsync(Responses.Post(null), None).InTime();
        await using var stream = await response.Content.ReadAsStreamAsync(None).InTime();

        Assert.Equal((byte)'a', await ReadByteAsync(stream));
        goOn.SetResult();
        Assert.Equal((byte)'b', await ReadByteAsync(stream));
        Assert.Empty(response.TrailingHeaders);
        Assert.Equal(0, await stream.ReadAsync(new byte[1], None).InTime());
        Assert.Equal(["end"], response.TrailingHeaders.GetValues("x-t"));
        Assert.Equal(0, await stream.ReadAsync(new byte[1], None).InTime());
    }

    [Fact]
    public async Task Response_ReadInAllWays_IsTheSame()
    {
        const int Size = 200_000;
        await using var server = new FakeServer(static async call =>
        {
            call.SetHeaders((":status", "200"));
            await call.WritePatternAsync(0, Size, 7001);
            call.EndOutput();
        });
        using var invoker = server.CreateInvoker();
        using var response = await invoker.SendAsync(Responses.Post(null), None).InTime();
        await using var stream = await response.Content.ReadAsStreamAsync(None).InTime();
        var buffer = new byte[4096];
        var position = 0L;
        for (var i = 0; ; i++)
        {
            // With an empty buffer, a read waits for data and takes none.
            Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty, None).InTime());
            var count = (i % 3) switch
            {
                0 => await stream.ReadAsync(buffer, None).InTime(),
                1 => await Task.Factory.FromAsync(stream.BeginRead, stream.EndRead, buffer, 5, 100, null).InTime(),
                _ => await Task.Run(() => stream.Read(buffer, 0, 1000), None).InTime(),
            };
            if (count == 0)
            {
                break;
            }

            Pattern.Verify(buffer.AsSpan(i % 3 == 1 ? 5 : 0, count), position);
            position += count;
        }

        Assert.Equal(Size, position);
    }

    [Fact]
    public async Task Read_TokenLeadsToAnotherEndFirst_IsCancelled()
    {
        await using var server = new FakeServer(static async call =>
        {
            call.SetHeaders((":status", "200"));
            await call.SendAsync(default);
        });
        using var invoker = server.CreateInvoker();
        using var response = await invoker.SendAsync(Responses.Post(null), None).InTime();
        await using var stream = await response.Content.ReadAsStreamAsync(None).InTime();
        using var cancellation = new CancellationTokenSource();
        var read = stream.ReadAsync(new byte[1], cancellation.Token).AsTask();

        // The callback that is registered last runs first: the response is given up before the read learns of the
        // token.
        await using var registration = cancellation.Token.Register(response.Dispose);
        await cancellation.CancelAsync();

        var failure = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.InTime());
        Assert.Equal(cancellation.Token, failure.CancellationToken);
        Assert.IsType<IOException>(failure.InnerException);
    }

    [Fact]
    public async Task Content_ReadTwice_IsRefused()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        using var response = await invoker.SendAsync(Responses.Post(null), None).InTime();

        await response.Content.CopyToAsync(Stream.Null, None).InTime();

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => response.Content.CopyToAsync(Stream.Null, None).InTime());
    }

    [Theory]
    [MemberData(nameof(Resets))]
    public async Task Reset_BeforeTheResponse_HasTheStatusOfHttp2(int error, StatusCode expected)
    {
        await using var server = new FakeServer(call =>
        {
            call.Reset((CallError)error);
            return Task.CompletedTask;
        });
        using var channel = server.CreateChannel();

        var exception = await Assert.ThrowsAsync<RpcException>(() => channel.CreateCallInvoker().CallAsync([1]));

        Assert.Equal(expected, exception.StatusCode);
        await (await server.AcceptedAsync()).UntilIdleAsync();
    }

    [Theory]
    [MemberData(nameof(Resets))]
    public async Task Reset_InTheResponse_HasTheStatusOfHttp2(int error, StatusCode expected)
    {
        await using var server = new FakeServer(async call =>
        {
            Responses.SetGrpcHeaders(call);
            await call.SendAsync(Responses.Message("first"u8));
            await call.EndReceived.InTime();
            call.Reset((CallError)error);
        });
        using var channel = server.CreateChannel();
        using var call = channel.CreateCallInvoker().AsyncServerStreamingCall(
            Responses.ServerStreaming, null, Responses.CallOptions, [1]);

        var exception = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext(None).InTime())
            {
            }
        });

        Assert.Equal(expected, exception.StatusCode);
        await (await server.AcceptedAsync()).UntilIdleAsync();
    }

    [Fact]
    public async Task Lost_BeforeTheResponse_IsUnavailableAndNotTriedAgain()
    {
        await using var server = new FakeServer(Responses.NeverAsync);
        using var channel = server.CreateChannel();
        var calling = channel.CreateCallInvoker().CallAsync([1]);
        var connection = await server.AcceptedAsync();
        await (await connection.NextCallAsync()).EndReceived.InTime();

        connection.Connection.Dispose();

        var exception = await Assert.ThrowsAsync<RpcException>(() => calling);
        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
        Assert.Equal(1, server.Accepted);
    }

    [Fact]
    public async Task Lost_InTheResponse_IsUnavailable()
    {
        await using var server = new FakeServer(static async call =>
        {
            Responses.SetGrpcHeaders(call);
            await call.SendAsync(Responses.Message("first"u8));
        });
        using var channel = server.CreateChannel();
        using var call = channel.CreateCallInvoker().AsyncServerStreamingCall(
            Responses.ServerStreaming, null, Responses.CallOptions, [1]);
        Assert.True(await call.ResponseStream.MoveNext(None).InTime());

        (await server.AcceptedAsync()).Connection.Dispose();

        var exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(None).InTime());
        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("20")]
    [InlineData("abc")]
    public async Task Status_ThatIsNone_FailsItsCallAlone(string status)
    {
        var isFirst = true;
        await using var server = new FakeServer(call =>
        {
            call.SetHeaders((":status", isFirst ? status : "200"));
            isFirst = false;
            call.EndOutput();
            return Task.CompletedTask;
        });
        using var invoker = server.CreateInvoker();

        var exception = await Assert.ThrowsAsync<HttpRequestException>(
            () => invoker.SendAsync(Responses.Post(null), None).InTime());
        using var next = await invoker.SendAsync(Responses.Post(null), None).InTime();

        Assert.Equal(HttpRequestError.InvalidResponse, exception.HttpRequestError);
        Assert.True(next.IsSuccessStatusCode);
        Assert.False((await server.AcceptedAsync()).Calls.Completion.IsCompleted);
    }

    [Fact]
    public async Task Cancel_BeforeTheResponse_ResetsTheCall()
    {
        await using var server = new FakeServer(Responses.NeverAsync);
        using var invoker = server.CreateInvoker();
        using var source = new CancellationTokenSource();
        var sending = invoker.SendAsync(Responses.Post(null), source.Token);
        var connection = await server.AcceptedAsync();
        var call = await connection.NextCallAsync();
        await call.EndReceived.InTime();

        await source.CancelAsync();

        var exception = await Assert.ThrowsAsync<TaskCanceledException>(() => sending.InTime());
        Assert.Equal(source.Token, exception.CancellationToken);
        Assert.Equal(CallError.Cancelled, (await call.Failed.InTime()).Error);
        await connection.UntilIdleAsync();
    }

    [Fact]
    public async Task Cancel_WhileTheContentIsSent_EndsTheContent()
    {
        await using var server = new FakeServer(Responses.NeverAsync);
        using var invoker = server.CreateInvoker();
        using var source = new CancellationTokenSource();
        using var content = new EndlessContent();
        var sending = invoker.SendAsync(Responses.Post(content), source.Token);
        var connection = await server.AcceptedAsync();
        await (await connection.NextCallAsync()).HeadersReceived.InTime();

        await source.CancelAsync();

        await Assert.ThrowsAsync<TaskCanceledException>(() => sending.InTime());
        Assert.IsType<OperationCanceledException>(await content.Ended.InTime(), exactMatch: false);
        await connection.UntilIdleAsync();
    }

    [Fact]
    public async Task Cancel_AfterTheResponseBegan_LeavesItAlone()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new FakeServer(call => Responses.SendTextAsync(call, goOn.Task));
        using var invoker = server.CreateInvoker();
        using var source = new CancellationTokenSource();
        using var response = await invoker.SendAsync(Responses.Post(null), source.Token).InTime();

        await source.CancelAsync();
        goOn.SetResult();

        Assert.Equal("text", await response.Content.ReadAsStringAsync(None).InTime());
    }

    [Fact]
    public async Task Cancel_OfARead_EndsTheReadAlone()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new FakeServer(call => Responses.SendTextAsync(call, goOn.Task));
        using var invoker = server.CreateInvoker();
        using var source = new CancellationTokenSource();
        using var response = await invoker.SendAsync(Responses.Post(null), None).InTime();
        await using var stream = await response.Content.ReadAsStreamAsync(None).InTime();
        var read = stream.ReadAsync(new byte[1], source.Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => stream.ReadAsync(new byte[1], None).InTime());

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.InTime());
        goOn.SetResult();
        Assert.Equal((byte)'t', await ReadByteAsync(stream));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Dispose_BeforeTheEnd_ResetsTheCall(bool readIsPending)
    {
        await using var server = new FakeServer(static async call =>
        {
            call.SetHeaders((":status", "200"));
            await call.SendAsync(default);
        });
        using var invoker = server.CreateInvoker();
        var response = await invoker.SendAsync(Responses.Post(null), None).InTime();
        var stream = await response.Content.ReadAsStreamAsync(None).InTime();
        var read = readIsPending ? stream.ReadAsync(new byte[1], None).AsTask() : null;

        response.Dispose();

        var connection = await server.AcceptedAsync();
        Assert.Equal(CallError.Cancelled, (await (await connection.NextCallAsync()).Failed.InTime()).Error);
        if (read is not null)
        {
            await Assert.ThrowsAsync<IOException>(() => read.InTime());
        }

        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.ReadAsync(new byte[1], None).InTime());
        await connection.UntilIdleAsync();
    }

    [Fact]
    public async Task Response_ThatNobodyHoldsAnyMore_ResetsTheCall()
    {
        await using var server = new FakeServer(static async call =>
        {
            call.SetHeaders((":status", "200"));
            await call.SendAsync(default);
        });
        using var invoker = server.CreateInvoker();
        await SendAndForgetAsync(invoker);
        var connection = await server.AcceptedAsync();
        var call = await connection.NextCallAsync();

        await TimeLimit.UntilAsync(
            () =>
            {
                GC.Collect();
                return call.Failed.IsCompleted;
            },
            () => "The call goes on.");

        Assert.Equal(CallError.Cancelled, (await call.Failed).Error);
        await connection.UntilIdleAsync();
    }

    [Fact]
    public async Task Calls_ThatEndInEveryWay_DoNotMeet()
    {
        const int Workers = 8;
        const int Rounds = 400;
        await using var server = new FakeServer(static async call =>
        {
            var body = await call.ReadWholeAsync();
            call.SetHeaders((":status", "200"));
            if (body[0] % 3 == 0)
            {
                // The response comes in more than one frame.
                await call.SendAsync(body.AsMemory(0, 1));
                call.Output.Write(body.AsSpan(1));
            }
            else
            {
                call.Output.Write(body);
            }

            call.SetTrailers(("x-t", body[0].ToString(System.Globalization.CultureInfo.InvariantCulture)));
            call.EndOutput();
        });
        using var invoker = server.CreateInvoker();
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"The seed is {seed}.");

        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(
            async () =>
            {
                var random = new Random(seed + worker);
                for (var i = 0; i < Rounds; i++)
                {
                    await CallOnceAsync(invoker, random);
                }
            },
            None)));

        var connection = await server.AcceptedAsync();
        await connection.UntilIdleAsync();
        Assert.Equal(1, server.Accepted);
    }

    private static async Task CallOnceAsync(HttpMessageInvoker invoker, Random random)
    {
        var body = new byte[random.Next(1, random.Next(10) == 0 ? 40_000 : 200)];
        random.NextBytes(body);
        using var source = new CancellationTokenSource();
        var cancels = random.Next(4) == 0;
        var disposes = random.Next(4) == 0;
        try
        {
            var sending = invoker.SendAsync(Responses.Post(new ReadOnlyMemoryContent(body)), source.Token);
            if (cancels)
            {
                await source.CancelAsync();
            }

            using var response = await sending.InTime();
            if (!disposes)
            {
                Assert.Equal(body, await response.Content.ReadAsByteArrayAsync(None).InTime());
                Assert.Equal([$"{body[0]}"], response.TrailingHeaders.GetValues("x-t"));
            }
        }
        catch (OperationCanceledException) when (cancels)
        {
            // The test has asked for a cancellation.
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task SendAndForgetAsync(HttpMessageInvoker invoker)
    {
        var response = await invoker.SendAsync(Responses.Post(null), None).InTime();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private static async Task<byte> ReadByteAsync(Stream stream)
    {
        var buffer = new byte[1];
        Assert.Equal(1, await stream.ReadAsync(buffer, None).InTime());
        return buffer[0];
    }
}
