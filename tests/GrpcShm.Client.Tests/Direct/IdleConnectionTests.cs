using System.Runtime.CompilerServices;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>Connections that have no calls at the moment, or will never have any again.</summary>
public sealed class IdleConnectionTests
{
    private static readonly AsyncLocal<object?> Flowing = new();

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task IdleTimeout_WithoutCalls_ClosesTheConnectionAndTheNextCallMakesAnother()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        server.Options.IdleTimeout = TimeSpan.FromMilliseconds(20);
        using var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();

        var closed = 0;
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal([1], await invoker.CallAsync([1]));

            // There are more where a busy machine has closed one before its first call.
            Assert.True(server.Accepted > closed, "The call went over a connection that was closed.");
            while (closed < server.Accepted)
            {
                await (await server.AcceptedAsync()).Calls.Completion.InTime();
                closed++;
            }
        }
    }

    [Fact]
    public async Task Logger_ThatThrowsAtTheEndOfAConnection_DoesNotEndTheProcess()
    {
        var thrown = new SemaphoreSlim(0);
        await using var server = new FakeServer(Responses.EchoAsync);
        server.Options.IdleTimeout = TimeSpan.FromMilliseconds(20);
        server.Options.LoggerFactory = new ThrowingLogger(thrown);
        using var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();

        for (var i = 0; i < 3; i++)
        {
            // The timer of the idle time closes the connection.
            Assert.Equal([1], await invoker.CallAsync([1]));
            Assert.True(await thrown.WaitAsync(TimeLimit.Value, None));
        }
    }

    [Fact]
    public async Task IdleTimeout_WithACallUnderWay_LeavesTheConnectionAlone()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server =
            new FakeServer(call => Responses.SendTextAsync(call, goOn.Task), listens: false) { MaxCalls = 1 };
        server.Options.IdleTimeout = TimeSpan.FromMilliseconds(20);
        server.Listen();
        using var invoker = server.CreateInvoker();
        using var response = await invoker.SendAsync(Responses.Post(null), None).InTime();

        // Before it there may be one that a busy machine has closed before its first call.
        FakeServerConnection first;
        do
        {
            first = await server.AcceptedAsync();
        }
        while (first.CallCount == 0);

        for (var i = 0; i < 3; i++)
        {
            // The end of this other connection shows that the time has passed.
            (await invoker.SendAsync(Responses.Post(null), None).InTime()).Dispose();
            await (await server.AcceptedAsync()).Calls.Completion.InTime();
        }

        Assert.False(first.Calls.Completion.IsCompleted, "The connection was closed over a call.");
        goOn.SetResult();
        Assert.Equal("text", await response.Content.ReadAsStringAsync(None).InTime());
        await first.Calls.Completion.InTime();
    }

    [Fact]
    public async Task Calls_ThatMeetTheClosing_AreNotLost()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        server.Options.IdleTimeout = TimeSpan.FromMilliseconds(1);
        using var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();

        // A busy machine may keep the timer of the connection from every pause of these.
        var giveUpAt = TimeLimit.Deadline;
        for (var i = 0; i < 300 || (server.Accepted == 1 && DateTime.UtcNow < giveUpAt); i++)
        {
            Assert.Equal([(byte)i], await invoker.CallAsync([(byte)i]));

            // So that the next call begins about when the connection is closed.
            await Task.Delay(i % 4, TestContext.Current.CancellationToken);
        }

        Assert.True(server.Accepted > 1, "No connection was ever closed.");
    }

    [Fact]
    public async Task Connections_AfterABurst_AreAllClosed()
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false) { MaxCalls = 1 };
        server.Options.IdleTimeout = TimeSpan.FromMilliseconds(20);
        server.Listen();
        using var channel = server.CreateChannel();
        var invoker = channel.CreateCallInvoker();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => invoker.CallAsync([(byte)i])));

        for (var i = server.Accepted; i > 0; i--)
        {
            await (await server.AcceptedAsync()).Calls.Completion.InTime();
        }
    }

    [Fact]
    public async Task Handler_ThatNobodyHoldsAndNobodyDisposedOf_LetsItsConnectionsGo()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        server.Options.IdleTimeout = Timeout.InfiniteTimeSpan;
        await CallAndForgetAsync(server);
        var connection = await server.AcceptedAsync();

        await CollectUntilAsync(() => connection.Calls.Completion.IsCompleted);
    }

    [Fact]
    public async Task Handler_ThatNobodyHolds_FinishesItsRequest()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new FakeServer(async call =>
        {
            await goOn.Task;
            await Responses.EchoAsync(call);
        }, listens: false);
        server.Options.WaitForServer = TimeLimit.Value;
        server.Options.IdleTimeout = Timeout.InfiniteTimeSpan;
        var sending = SendAndForgetHandler(server);
        Collect();
        server.Listen();
        await (await server.AcceptedAsync()).NextCallAsync();
        Collect();
        goOn.SetResult();

        using var response = await sending.InTime();
        Assert.Equal([1], await response.Content.ReadAsByteArrayAsync(None).InTime());
    }

    [Fact]
    public async Task Context_OfTheFirstCall_IsNotKept()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        server.Options.IdleTimeout = TimeSpan.FromHours(1);
        server.Options.KeepAlivePingDelay = TimeSpan.FromHours(1);
        using var invoker = server.CreateInvoker();
        var context = await CallInContextAsync(invoker);

        await CollectUntilAsync(() => !context.IsAlive);
        Assert.False((await server.AcceptedAsync()).Calls.Completion.IsCompleted);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task CallAndForgetAsync(FakeServer server)
    {
        var channel = server.CreateChannel();
        Assert.Equal([1], await channel.CreateCallInvoker().CallAsync([1]));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task<HttpResponseMessage> SendAndForgetHandler(FakeServer server) =>
        server.CreateInvoker().SendAsync(Responses.Post(new ByteArrayContent([1])), None);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> CallInContextAsync(HttpMessageInvoker invoker)
    {
        var context = new object();
        Flowing.Value = context;
        (await invoker.SendAsync(Responses.Post(null), None).InTime()).Dispose();
        Flowing.Value = null;
        return new WeakReference(context);
    }

    private static Task CollectUntilAsync(Func<bool> condition) => TimeLimit.UntilAsync(
        () =>
        {
            Collect();
            return condition();
        },
        () => "It is still held.");

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
