using Grpc.Core;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>How connections are made, lost and replaced while calls are made.</summary>
public sealed class DirectConnectionTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task FirstCalls_AtOnce_ShareAConnection()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();

        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() => invoker.CallAsync([(byte)i]), None)));

        Assert.Equal(1, server.Accepted);
    }

    [Fact]
    public async Task Cancel_OfOneWhoWaitsForTheConnection_LeavesTheOthersWaiting()
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        server.Options.WaitForServer = TimeLimit.Value;
        using var invoker = server.CreateInvoker();
        using var source = new CancellationTokenSource();
        var first = invoker.SendAsync(Responses.Post(null), source.Token);
        var second = invoker.SendAsync(Responses.Post(null), None);

        await source.CancelAsync();
        await Assert.ThrowsAsync<TaskCanceledException>(() => first.InTime());
        server.Listen();

        using var response = await second.InTime();
        Assert.Equal(1, server.Accepted);
    }

    [Fact]
    public async Task Cancel_OfAllWhoWait_LetsTheNextOneConnect()
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        server.Options.WaitForServer = TimeLimit.Value;
        using var invoker = server.CreateInvoker();
        using var source = new CancellationTokenSource();
        var first = invoker.SendAsync(Responses.Post(null), source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAsync<TaskCanceledException>(() => first.InTime());

        server.Listen();

        using var response = await invoker.SendAsync(Responses.Post(null), None).InTime();
        Assert.Equal(1, server.Accepted);
    }

    [Fact]
    public async Task GoAway_WithACallUnderWay_MovesTheNextAndClosesWithTheLast()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new FakeServer(async call =>
        {
            var body = await call.ReadWholeAsync();
            Responses.SetGrpcHeaders(call);
            await call.SendAsync(body);
            if (body[5] == 1)
            {
                await goOn.Task;
            }

            call.SetTrailers(("grpc-status", "0"));
            call.EndOutput();
        });
        using var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();
        using var old = invoker.AsyncServerStreamingCall(Responses.ServerStreaming, null, Responses.CallOptions, [1]);
        Assert.True(await old.ResponseStream.MoveNext(None).InTime());
        var first = await server.AcceptedAsync();

        // A call that the client begins before it has learned of the going away is still served.
        first.Calls.GoAway();
        await TimeLimit.UntilAsync(() => first.Calls.TakesNone, () => "The client does not answer.");
        Assert.Equal([2], await invoker.CallAsync([2]));
        var second = await server.AcceptedAsync();

        Assert.Equal(1, second.CallCount);
        Assert.False(first.Calls.Completion.IsCompleted, "The connection was closed over a call.");
        goOn.SetResult();
        Assert.False(await old.ResponseStream.MoveNext(None).InTime());
        await first.Calls.Completion.InTime();
        Assert.Equal([3], await invoker.CallAsync([3]));
        Assert.Equal(2, server.Accepted);
    }

    [Fact]
    public async Task Lost_BetweenCalls_IsReplaced()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();
        await invoker.CallAsync([1]);

        (await server.AcceptedAsync()).Connection.Dispose();

        // Until the client has learned of the end, a call may fail, as over a socket.
        await TimeLimit.UntilAsync(() => TryCallAsync(invoker).GetAwaiter().GetResult(), () => "No call came through.");
        Assert.Equal(2, server.Accepted);
    }

    [Fact]
    public async Task Refused_Unary_IsTriedAgain()
    {
        var refusals = 3;
        await using var server = new FakeServer(async call =>
        {
            if (Interlocked.Decrement(ref refusals) >= 0)
            {
                call.Reset(CallError.Refused);
                return;
            }

            await Responses.EchoAsync(call);
        });
        using var channel = server.CreateChannel();

        Assert.Equal([7], await channel.CreateCallInvoker().CallAsync([7]));

        Assert.Equal(4, server.CallsTaken);
    }

    [Fact]
    public async Task Refused_ForEver_IsUnavailable()
    {
        await using var server = new FakeServer(static call =>
        {
            call.Reset(CallError.Refused);
            return Task.CompletedTask;
        });
        using var channel = server.CreateChannel();

        var exception = await Assert.ThrowsAsync<RpcException>(() => channel.CreateCallInvoker().CallAsync([7]));

        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
    }

    [Fact]
    public async Task Refused_Stream_IsUnavailable()
    {
        await using var server = new FakeServer(static call =>
        {
            call.Reset(CallError.Refused);
            return Task.CompletedTask;
        });
        using var channel = server.CreateChannel();
        using var call = channel.CreateCallInvoker().AsyncClientStreamingCall(
            Responses.ClientStreaming, null, Responses.CallOptions);

        var exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.InTime());

        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
        Assert.Equal(1, server.Accepted);
    }

    [Fact]
    public async Task Lost_AfterGoingAwayWithoutTakingTheCall_IsTriedAgain()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();
        await invoker.CallAsync([1]);
        var first = await server.AcceptedAsync();
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        first.Handler = async _ =>
        {
            // A server that closes by itself has begun no call that it has not ended. For the client this call looks
            // like one that the server has not read.
            first.Calls.GoAway();
            await goOn.Task;
        };

        var calling = invoker.CallAsync([2]);
        await first.NextCallAsync();
        await first.NextCallAsync();
        await TimeLimit.UntilAsync(() => first.Calls.IsGoingAway, () => "The server stays.");
        first.Connection.Dispose();

        Assert.Equal([2], await calling);
        Assert.Equal(2, server.Accepted);
        goOn.SetResult();
    }

    [Fact]
    public async Task Full_Connection_LeavesCallsToAnother()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new FakeServer(async call =>
        {
            await goOn.Task;
            await Responses.EchoAsync(call);
        }, listens: false)
        {
            MaxCalls = 10,
        };
        server.Listen();
        using var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();

        var calls = Enumerable.Range(0, 45).Select(i => invoker.CallAsync([(byte)i])).ToList();
        await TimeLimit.UntilAsync(() => server.CallsTaken == 45, () => $"{server.CallsTaken} calls were taken.");
        goOn.SetResult();

        for (var i = 0; i < calls.Count; i++)
        {
            Assert.Equal([(byte)i], await calls[i]);
        }

        Assert.Equal(5, server.Accepted);
    }

    [Fact]
    public async Task Dispose_WithAResponseUnderWay_ClosesWhenItHasBeenRead()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new FakeServer(call => Responses.SendTextAsync(call, goOn.Task));
        var invoker = server.CreateInvoker();
        using var response = await invoker.SendAsync(Responses.Post(null), None).InTime();
        var connection = await server.AcceptedAsync();

        invoker.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => invoker.SendAsync(Responses.Post(null), None).InTime());
        Assert.False(connection.Calls.Completion.IsCompleted, "The connection was closed over a call.");
        goOn.SetResult();
        Assert.Equal("text", await response.Content.ReadAsStringAsync(None).InTime());
        await connection.Calls.Completion.InTime();
    }

    [Fact]
    public async Task Dispose_WithACancelledCallThatTheServerNeverAnswers_Closes()
    {
        await using var server = new FakeServer(Responses.NeverAsync) { Serves = false };
        using var channel = server.CreateChannel();
        using var source = new CancellationTokenSource();
        var calling = channel.CreateCallInvoker().CallAsync(
            [1], Responses.CallOptions.WithCancellationToken(source.Token));
        var connection = await server.AcceptedAsync();
        await source.CancelAsync();
        await Assert.ThrowsAsync<RpcException>(() => calling);

        channel.Dispose();

        await TimeLimit.UntilAsync(() => connection.Connection.PeerIsGone, () => "The connection stands.");
    }

    [Fact]
    public async Task Dispose_WhileConnecting_EndsTheWait()
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        server.Options.WaitForServer = TimeLimit.Value;
        var invoker = server.CreateInvoker();
        var sending = invoker.SendAsync(Responses.Post(null), None);

        invoker.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => sending.InTime());
    }

    [Fact]
    public async Task Dispose_InAnInlineContinuation_EndsEverything()
    {
        using var answers = new SemaphoreSlim(1);
        await using var server = CreateHeldServer(answers);
        server.Options.RunMode = RunMode.Inline;
        var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();
        await invoker.CallAsync([1]);
        using var stream = invoker.AsyncServerStreamingCall(
            Responses.ServerStreaming, null, Responses.CallOptions, Responses.Unanswered);
        var pending = stream.ResponseStream.MoveNext(None);

        answers.Release();
        var thread = await ThreadOfContinuationAsync(invoker, answers, channel.Dispose).InTime();

        Assert.StartsWith("GrpcShm reactor", thread, StringComparison.Ordinal);
        var exception = await Assert.ThrowsAsync<RpcException>(() => pending.InTime());
        Assert.Equal(StatusCode.Cancelled, exception.StatusCode);
        await (await server.AcceptedAsync()).Calls.Completion.InTime();
    }

    [Theory]
    [InlineData(RunMode.Inline, true)]
    [InlineData(RunMode.ThreadPool, false)]
    public async Task RunMode_Forced_DecidesWhereContinuationsRun(RunMode mode, bool onReactor)
    {
        using var answers = new SemaphoreSlim(1);
        await using var server = CreateHeldServer(answers);
        server.Options.RunMode = mode;
        using var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();
        await invoker.CallAsync([1]);

        for (var i = 0; i < 10; i++)
        {
            var thread = await ThreadOfContinuationAsync(invoker, answers).InTime();
            Assert.Equal(onReactor, thread?.StartsWith("GrpcShm reactor", StringComparison.Ordinal) ?? false);
        }
    }

    [Fact]
    public async Task KeepAlive_ServerThatReadsNothing_LosesTheConnection()
    {
        await using var server = new FakeServer(Responses.EchoAsync) { Serves = false };
        server.Options.KeepAlivePingDelay = TimeSpan.FromSeconds(1);
        server.Options.KeepAlivePingTimeout = TimeSpan.FromSeconds(1);
        using var channel = server.CreateChannel();

        var exception = await Assert.ThrowsAsync<RpcException>(() => channel.CreateCallInvoker().CallAsync([1]));

        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
        Assert.Contains("keep-alive", exception.Status.DebugException?.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task KeepAlive_ServerThatIsOnlySlow_KeepsTheConnection()
    {
        var pause = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new FakeServer(async call =>
        {
            await pause.Task;
            await Responses.EchoAsync(call);
        });
        server.Options.KeepAlivePingDelay = TimeSpan.FromSeconds(1);
        server.Options.KeepAlivePingTimeout = TimeLimit.Value;
        using var channel = server.CreateChannel();
        var calling = channel.CreateCallInvoker().CallAsync([1]);
        var connection = await server.AcceptedAsync();
        await (await connection.NextCallAsync()).EndReceived.InTime();
        var before = connection.Connection.Counters.BytesReceived;

        // Nothing else is left for the client to send.
        await TimeLimit.UntilAsync(() => connection.Connection.Counters.BytesReceived > before, () => "No ping came.");
        await TimeLimit.UntilAsync(
            () => connection.Connection.Counters.BytesReceived > before + 64, () => "No second ping came.");
        pause.SetResult();

        Assert.Equal([1], await calling);
        Assert.Equal(1, server.Accepted);
    }

    /// <summary>A handler that answers one call each time the semaphore is released.</summary>
    private static FakeServer CreateHeldServer(SemaphoreSlim answers) => new(async call =>
    {
        Assert.True(await answers.WaitAsync(TimeLimit.Value));
        await Responses.EchoAsync(call);
    });

    /// <summary>Makes a call, and runs an action when it has been answered.</summary>
    /// <returns>The name of the thread on which the action ran.</returns>
    private static Task<string?> ThreadOfContinuationAsync(
        CallInvoker invoker, SemaphoreSlim answers, Action? then = null)
    {
        var thread = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var response = invoker.AsyncUnaryCall(Responses.Unary, null, Responses.CallOptions, [1]).ResponseAsync;
        response.ConfigureAwait(false).GetAwaiter().OnCompleted(() =>
        {
            try
            {
                then?.Invoke();
                thread.SetResult(Thread.CurrentThread.Name);
            }
            catch (Exception exception)
            {
                thread.SetException(exception);
            }
        });

        // Not earlier: a call that is answered by then goes on on the thread of its caller.
        answers.Release();
        return thread.Task;
    }

    private static async Task<bool> TryCallAsync(CallInvoker invoker)
    {
        try
        {
            await invoker.CallAsync([1]);
            return true;
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.Unavailable)
        {
            return false;
        }
    }
}
