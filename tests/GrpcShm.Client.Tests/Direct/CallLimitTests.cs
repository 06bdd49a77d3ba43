using System.Diagnostics;
using Grpc.Core;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>A client with more calls than the server takes on a connection at once.</summary>
public sealed class CallLimitTests
{
    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(2, 16, true, 8)]
    [InlineData(2, 16, false, 1)]
    [InlineData(16, 32, true, 2)]
    [InlineData(16, 32, false, 1)]
    [InlineData(1, 8, true, 8)]
    [InlineData(1, 8, false, 1)]
    public async Task Calls_BeyondTheLimit_WaitOrGoToAnotherConnection_AndNoneIsLost(
        int limit, int callers, bool multiple, int mostConnections)
    {
        const int Calls = 1600;
        await using var server = CreateServer(limit, multiple, static async call =>
        {
            await Task.Yield();
            await Responses.EchoAsync(call);
        });
        using var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();

        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(
            async () =>
            {
                for (var i = 0; i < Calls / callers; i++)
                {
                    var message = BitConverter.GetBytes((caller * Calls) + i);
                    Assert.Equal(message, await invoker.CallAsync(message).InTime());
                }
            },
            None)));

        Assert.InRange(server.Accepted, 1, mostConnections);
        Assert.Equal(Calls, server.CallsTaken);
    }

    [Fact]
    public async Task Calls_OneAfterTheOther_NeverMakeASecondConnection()
    {
        await using var server = CreateServer(limit: 1, multiple: true, Responses.EchoAsync);
        using var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();

        for (var i = 0; i < 200; i++)
        {
            Assert.Equal([(byte)i], await invoker.CallAsync([(byte)i]));
        }

        Assert.Equal(1, server.Accepted);
    }

    [Fact]
    public async Task Calls_AfterManyThatWereGivenUp_NeverMakeASecondConnection()
    {
        await using var server = CreateServer(limit: 1, multiple: true, Responses.EchoAsync);
        using var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();

        // A call that is given up while its client connects gives the connection up, too. The server may have accepted
        // that connection already.
        Assert.Equal([255], await invoker.CallAsync([255]));
        for (var i = 0; i < 100; i++)
        {
            using var source = new CancellationTokenSource();
            var calling = invoker.CallAsync(
                Responses.Unanswered, Responses.CallOptions.WithCancellationToken(source.Token));
            await source.CancelAsync();
            await Assert.ThrowsAsync<RpcException>(() => calling);
            Assert.Equal([(byte)i], await invoker.CallAsync([(byte)i]));
        }

        Assert.Equal(1, server.Accepted);
    }

    [Fact]
    public async Task Calls_WithALimitOfOne_GoOnWhenThereIsRoomAndInOrder()
    {
        using var answers = new SemaphoreSlim(0);
        await using var server = CreateServer(limit: 1, multiple: false, async call =>
        {
            Assert.True(await answers.WaitAsync(TimeLimit.Value));
            await Responses.EchoAsync(call);
        });
        using var invoker = server.CreateInvoker();
        using var source = new CancellationTokenSource();
        var first = SendAsync(invoker, 0, None);
        var connection = await server.AcceptedAsync();
        await connection.NextCallAsync();
        var others = Enumerable.Range(1, 5).Select(i => SendAsync(invoker, i, i == 2 ? source.Token : None)).ToList();

        await source.CancelAsync();
        var cancelled = await Assert.ThrowsAsync<TaskCanceledException>(() => others[1]);
        answers.Release(10);

        Assert.Equal(source.Token, cancelled.CancellationToken);
        Assert.Equal(0, await first);
        int[] left = [1, 3, 4, 5];
        foreach (var i in left)
        {
            var call = await connection.NextCallAsync();
            Assert.Contains(("x-number", $"{i}"), await call.HeadersReceived.InTime());
            Assert.Equal(i, await others[i - 1]);
        }

        Assert.Equal((1, 5), (server.Accepted, server.CallsTaken));
    }

    [Fact]
    public async Task Deadline_OfACallThatWaits_EndsTheWait()
    {
        using var answers = new SemaphoreSlim(0);
        await using var server = CreateServer(limit: 1, multiple: false, async call =>
        {
            Assert.True(await answers.WaitAsync(TimeLimit.Value));
            await Responses.EchoAsync(call);
        });
        using var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();
        var first = invoker.CallAsync([1]);
        await (await server.AcceptedAsync()).NextCallAsync();

        var exception = await Assert.ThrowsAsync<RpcException>(
            () => invoker.CallAsync([2], new CallOptions(deadline: DateTime.UtcNow + TimeSpan.FromMilliseconds(50))));
        answers.Release(2);

        Assert.Equal(StatusCode.DeadlineExceeded, exception.StatusCode);
        Assert.Equal([1], await first);
        Assert.Equal([3], await invoker.CallAsync([3]));
        Assert.Equal(2, server.CallsTaken);
    }

    [Fact]
    public async Task Dispose_WithCallsThatWait_EndsThemAndNoOthers()
    {
        using var answers = new SemaphoreSlim(0);
        await using var server = CreateServer(limit: 1, multiple: false, async call =>
        {
            Assert.True(await answers.WaitAsync(TimeLimit.Value));
            await Responses.EchoAsync(call);
        });
        var invoker = server.CreateInvoker();
        var first = SendAsync(invoker, 0, None);
        await (await server.AcceptedAsync()).NextCallAsync();
        var others = Enumerable.Range(1, 5).Select(i => SendAsync(invoker, i, None)).ToList();

        invoker.Dispose();

        foreach (var other in others)
        {
            await Assert.ThrowsAsync<ObjectDisposedException>(() => other);
        }

        answers.Release();
        Assert.Equal(0, await first);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EndOfTheConnection_WithCallsThatWait_SendsThemToAnother(bool goesAway)
    {
        var isHolding = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = CreateServer(
            limit: 1, multiple: false, call => isHolding.TrySetResult() ? held.Task : Responses.EchoAsync(call));
        using var invoker = server.CreateInvoker();
        var first = SendAsync(invoker, 0, None);
        var connection = await server.AcceptedAsync();

        // The call is accepted before its handler runs.
        await isHolding.Task.InTime();
        var others = Enumerable.Range(1, 5).Select(i => SendAsync(invoker, i, None)).ToList();

        if (goesAway)
        {
            connection.Calls.GoAway();
        }
        else
        {
            connection.Connection.Dispose();
            await Assert.ThrowsAsync<HttpRequestException>(() => first);
        }

        Assert.Equal((int[])[1, 2, 3, 4, 5], await Task.WhenAll(others).InTime());
        Assert.Equal(2, server.Accepted);
        held.SetResult();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task GoAway_FromEachNewConnection_LetsNobodyWaitForOneThatIsGone(bool multiple)
    {
        // In each round the going away may come before the client knows that the connection takes calls.
        for (var round = 0; round < 20; round++)
        {
            await using var server = CreateServer(limit: 1, multiple, Responses.EchoAsync, goesAwayFrom: 4);
            using var invoker = server.CreateInvoker();

            var calls = Enumerable.Range(0, 2).Select(i => SendAsync(invoker, i, None)).ToList();

            Assert.Equal((int[])[0, 1], await Task.WhenAll(calls).InTime());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task GoAway_FromEveryConnection_EndsTheWait(bool isObserved)
    {
        await using var server = CreateServer(
            limit: 1, multiple: true, Responses.EchoAsync, goesAwayFrom: int.MaxValue);
        using var invoker = server.CreateInvoker();
        using var parent = isObserved ? new Activity("parent").Start() : null;

        // A call may be faster than the going away. Then it is served.
        var calls = Enumerable.Range(0, 8).Select(i => SendAsync(invoker, i, None)).ToList();
        await Task.WhenAll(
            calls.Select(static call => ((Task)call).ContinueWith(static _ => { }, TaskScheduler.Default))).InTime();

        Assert.All(calls, static call => Assert.True(
            call.IsCompletedSuccessfully || call.Exception!.InnerException is HttpRequestException,
            call.Exception?.ToString()));
    }

    [Fact]
    public async Task Connections_MoreThanAreNeeded_AreKeptAndUsedAgain()
    {
        using var answers = new SemaphoreSlim(0);
        await using var server = CreateServer(limit: 2, multiple: true, async call =>
        {
            Assert.True(await answers.WaitAsync(TimeLimit.Value));
            await Responses.EchoAsync(call);
        });
        using var invoker = server.CreateInvoker();
        for (var round = 0; round < 5; round++)
        {
            var taken = server.CallsTaken;
            var calls = Enumerable.Range(0, 8).Select(i => SendAsync(invoker, i, None)).ToList();
            await TimeLimit.UntilAsync(
                () => server.CallsTaken == taken + 8, () => $"{server.CallsTaken - taken} calls were taken.");
            answers.Release(8);
            await Task.WhenAll(calls).InTime();
        }

        Assert.Equal(4, server.Accepted);
    }

    private static FakeServer CreateServer(int limit, bool multiple, Func<TestCall, Task> handler, int goesAwayFrom = 0)
    {
        var server = new FakeServer(handler, listens: false) { MaxCalls = limit, GoesAwayFrom = goesAwayFrom };
        server.Options.EnableMultipleConnections = multiple;
        server.Listen();
        return server;
    }

    private static async Task<int> SendAsync(
        HttpMessageInvoker invoker, int number, CancellationToken cancellationToken)
    {
        using var request = Responses.Post(new ByteArrayContent([(byte)number]));
        request.Headers.Add("x-number", $"{number}");
        using var response = await invoker.SendAsync(request, cancellationToken).InTime();
        return Assert.Single(await response.Content.ReadAsByteArrayAsync(None).InTime());
    }
}
