using System.Collections.Concurrent;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Tests.Calls;

public sealed class CallEndingTests
{
    public enum Phase
    {
        BeforeAnything,
        AfterHeaders,
        AfterData,
        AfterEnd,
        WhileWaitingForCredit,
    }

    [Theory]
    [InlineData(Phase.BeforeAnything, true)]
    [InlineData(Phase.AfterHeaders, true)]
    [InlineData(Phase.AfterHeaders, false)]
    [InlineData(Phase.AfterData, true)]
    [InlineData(Phase.AfterData, false)]
    [InlineData(Phase.AfterEnd, true)]
    [InlineData(Phase.AfterEnd, false)]
    [InlineData(Phase.WhileWaitingForCredit, false)]
    public async Task Reset_ByTheClient_EndsBothSidesOnce(Phase phase, bool readsOnServer)
    {
        var handling = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var pair = await CallPair.CreateAsync(async call =>
        {
            if (readsOnServer)
            {
                await Assert.ThrowsAnyAsync<Exception>(async () =>
                {
                    await call.ReadPatternAsync(0);
                    await call.Failed.InTime();
                    throw new OperationCanceledException();
                });
            }

            await call.Failed.InTime();
            handling.SetResult();
        });
        var call = pair.Begin();
        await EnterAsync(call, phase);

        call.Reset(CallError.Cancelled);
        call.Reset(CallError.Internal);

        await call.Left.InTime();
        Assert.Equal(1, call.TimesLeft);
        if (phase != Phase.BeforeAnything)
        {
            var server = await pair.AcceptedAsync();
            Assert.Equal(CallError.Cancelled, (await server.Failed.InTime()).Error);
            await server.Left.InTime();
            await handling.Task.InTime();
            Assert.Equal((1, 1), (server.TimesLeft, server.TimesFailed));
        }

        Assert.Equal((0, 0), (pair.Client.ActiveCalls, pair.Server.ActiveCalls));
    }

    [Theory]
    [InlineData(Phase.AfterHeaders)]
    [InlineData(Phase.AfterData)]
    [InlineData(Phase.AfterEnd)]
    [InlineData(Phase.WhileWaitingForCredit)]
    public async Task Reset_ByTheServer_EndsBothSidesOnce(Phase phase)
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var pair = await CallPair.CreateAsync(async call =>
        {
            await go.Task.WaitAsync(TimeLimit.Value);
            call.Reset(CallError.Internal);
        });
        var call = pair.Begin();
        var pending = await EnterAsync(call, phase);
        go.SetResult();
        Assert.Equal(CallError.Internal, (await call.Failed.InTime()).Error);
        await call.Left.InTime();
        if (pending is not null)
        {
            Assert.True((await pending.InTime()).IsCompleted);
        }

        await Assert.ThrowsAsync<IOException>(() => call.ReadPatternAsync(0));
        await (await pair.AcceptedAsync()).Left.InTime();
        Assert.Equal((1, 1), (call.TimesLeft, call.TimesFailed));
        Assert.Equal((0, 0), (pair.Client.ActiveCalls, pair.Server.ActiveCalls));
    }

    [Theory]
    [InlineData("abort the client")]
    [InlineData("dispose the client")]
    [InlineData("abort the server")]
    [InlineData("dispose the server")]
    public async Task Connection_Ends_CallsInEveryStateEndOnce(string how)
    {
        var never = new TaskCompletionSource();
        await using var pair = await CallPair.CreateAsync(async call =>
        {
            // Calls with a short path are served, in part or in full; the others stay as they are.
            var path = (await call.HeadersReceived).Single(f => f.Name == ":path").Value;
            if (path == "/write")
            {
                call.SetHeaders((":status", "200"));
                await call.WritePatternAsync(0, long.MaxValue, 10_000);
            }

            await never.Task;
        });
        var calls = new List<TestCall>();
        foreach (var phase in Enum.GetValues<Phase>())
        {
            var call = pair.Begin("/stay");
            await EnterAsync(call, phase);
            calls.Add(call);
        }

        var writing = pair.Begin("/write");
        await writing.SendAsync(new byte[10]);
        await writing.HeadersReceived.InTime();
        calls.Add(writing);
        var gone = how.EndsWith("client", StringComparison.Ordinal) ? pair.ClientConnection : pair.ServerConnection;
        if (how.StartsWith("abort", StringComparison.Ordinal))
        {
            gone.Abort(new CloseCause(CloseCode.Aborted, "for the test", ByPeer: false));
        }
        else
        {
            gone.Dispose();
        }

        await pair.Client.Completion.InTime();
        await pair.Server.Completion.InTime();
        foreach (var call in calls)
        {
            await call.Failed.InTime();
            await call.Left.InTime();
            Assert.Equal((1, 1), (call.TimesLeft, call.TimesFailed));
            Assert.True((await call.Output.FlushAsync(TestContext.Current.CancellationToken).InTime()).IsCompleted);
            call.Reset(CallError.Cancelled);
            call.EndOutput();
        }

        Assert.False(pair.Client.TryBegin(new TestCall().Stream));
        Assert.Equal((0, 0), (pair.Client.ActiveCalls, pair.Server.ActiveCalls));
        for (var i = 0; i < calls.Count - 1; i++)
        {
            var server = await pair.AcceptedAsync();
            await server.Left.InTime();
            Assert.Equal((1, 1), (server.TimesLeft, server.TimesFailed));
        }

        await Assert.ThrowsAsync<IOException>(() => pair.Client.PingAsync().InTime());
    }

    [Theory]
    [InlineData((int)RunMode.Inline)]
    [InlineData((int)RunMode.ThreadPool)]
    public async Task Dispose_FromInsideAHandler_EndsTheConnection(int mode)
    {
        CallPair pair = null!;
        pair = await CallPair.CreateAsync(
            call =>
            {
                pair.ServerConnection.Dispose();
                call.SetHeaders((":status", "200"));
                call.EndOutput();
                return Task.CompletedTask;
            },
            new CallSettings { RunMode = (RunMode)mode });
        await using var owned = pair;
        var call = pair.Begin();
        call.EndOutput();
        await call.Left.InTime();
        await pair.Client.Completion.InTime();
        await pair.Server.Completion.InTime();
        await (await pair.AcceptedAsync()).Handled.InTime();

        // A handler on the pool may send its whole response before the thread that receives ends its call.
        Assert.True(call.Failed.IsCompleted || (RunMode)mode == RunMode.ThreadPool);
    }

    [Fact]
    public async Task OnHeaders_Throws_ResetsThatCallAlone()
    {
        await using var pair = await CallPair.CreateAsync();
        var call = pair.Begin();
        await call.SendAsync(new byte[1]);
        await call.HeadersReceived.InTime();
        var bad = new TestCall { FailsOnHeaders = true };
        Assert.True(pair.Client.TryBegin(bad.Stream));
        bad.SetHeaders((":path", "/x"));
        await bad.SendAsync(new byte[1]);
        var server = await pair.AcceptedAsync();
        server = await pair.AcceptedAsync();

        Assert.Equal(CallError.Internal, (await bad.Failed.InTime()).Error);
        Assert.Equal(CallError.Internal, (await server.Failed.InTime()).Error);
        await bad.Left.InTime();
        await server.Left.InTime();
        Assert.Equal((1, 1), (bad.TimesFailed, bad.TimesLeft));
        call.EndOutput();
        await call.TrailersReceived.InTime();
        await pair.VerifyIdleAsync();
    }

    [Fact]
    public async Task Lose_OneCallThrows_TheOthersAreTold()
    {
        await using var pair = await CallPair.CreateAsync();
        var calls = Enumerable.Range(0, 5).Select(i => new TestCall { FailsOnFailed = i % 2 == 0 }).ToList();
        foreach (var call in calls)
        {
            Assert.True(pair.Client.TryBegin(call.Stream));
            call.SetHeaders((":path", "/x"));
            await call.SendAsync(new byte[1]);
        }

        pair.ClientConnection.Dispose();
        Assert.IsType<AggregateException>(await pair.Client.Completion.InTime());
        foreach (var call in calls)
        {
            await call.Failed.InTime();
            await call.Left.InTime();
        }
    }

    [Theory]
    [InlineData(1, (int)RunMode.ThreadPool, 4096, 128)]
    [InlineData(2, (int)RunMode.Adaptive, 4096, 128)]
    [InlineData(3, (int)RunMode.Inline, 65536, 128)]
    [InlineData(4, (int)RunMode.ThreadPool, 65536, 3)]
    public async Task Chaos_CallsThatAreResetAtAnyMoment_AllLeaveOnceAndTheConnectionLives(
        int seed, int mode, int ringSize, int budgetInMebibytes)
    {
        var serverCalls = new ConcurrentBag<TestCall>();
        var seeds = seed * 1_000_000;
        await using var pair = await CallPair.CreateAsync(
            async call =>
            {
                serverCalls.Add(call);
                if (!(await call.HeadersReceived).Any(f => f.Value.StartsWith("/chaos", StringComparison.Ordinal)))
                {
                    await CallPair.EchoAsync(call);
                    return;
                }

                var random = new Random(Interlocked.Increment(ref seeds));
                var resets = random.Next(4) == 0;
                try
                {
                    call.SetHeaders((":status", "200"), ("x-header", new string('y', random.Next(3000))));
                    var left = resets ? random.Next(20_000) : int.MaxValue;
                    while (left > 0)
                    {
                        var result = await call.Input.ReadAsync();
                        foreach (var segment in result.Buffer)
                        {
                            left -= segment.Length;
                            await call.Output.WriteAsync(segment);
                        }

                        call.Input.AdvanceTo(result.Buffer.End);
                        if (result.IsCompleted)
                        {
                            break;
                        }
                    }

                    if (resets)
                    {
                        call.Reset(CallError.Internal);
                        return;
                    }

                    call.SetTrailers(("grpc-status", "0"));
                    call.EndOutput();
                }
                catch (IOException)
                {
                    // The client has reset the call.
                }
                finally
                {
                    call.Input.Complete();
                }
            },
            new CallSettings { RunMode = (RunMode)mode, MaxBufferedBytes = budgetInMebibytes * 1024 * 1024 },
            ringSize);
        var clientCalls = new ConcurrentBag<TestCall>();
        await Task.WhenAll(Enumerable.Range(0, 32).Select(worker => Task.Run(async () =>
        {
            var random = new Random((seed * 1000) + worker);
            for (var i = 0; i < 100; i++)
            {
                var call = pair.Begin($"/chaos/{random.Next(20)}");
                clientCalls.Add(call);
                var length = random.Next(30_000);
                var piece = random.Next(1, 10_000);
                var write = Task.Run(async () =>
                {
                    await call.WritePatternAsync(0, length, piece);
                    call.EndOutput();
                });
                if (random.Next(3) == 0)
                {
                    for (var spins = random.Next(2000); spins > 0; spins--)
                    {
                        Thread.SpinWait(10);
                    }

                    call.Reset(CallError.Cancelled);
                }

                await call.Left.InTime();
                await write.InTime();
                if (!call.Failed.IsCompleted && call.EndReceived.IsCompleted)
                {
                    Assert.Equal(length, await call.ReadPatternAsync(0));
                }
            }
        }))).InTime();
        await pair.VerifyIdleAsync();
        await TimeLimit.UntilAsync(
            () => pair.Server.Budget!.Counts == (0, 0),
            () => $"{pair.Server.Budget!.Counts} is reserved though there are no calls.");
        Assert.All(clientCalls, call => Assert.Equal(1, call.TimesLeft));
        Assert.All(serverCalls, call => Assert.Equal(1, call.TimesLeft));
        Assert.All(clientCalls.Concat(serverCalls), call => Assert.InRange(call.TimesFailed, 0, 1));
    }

    private static async Task<Task<System.IO.Pipelines.FlushResult>?> EnterAsync(TestCall call, Phase phase)
    {
        switch (phase)
        {
            case Phase.BeforeAnything:
                break;
            case Phase.AfterHeaders:
                await call.SendAsync(ReadOnlyMemory<byte>.Empty);
                break;
            case Phase.AfterData:
                await call.SendAsync(Pattern.Take(0, 3000));
                break;
            case Phase.AfterEnd:
                await call.SendAsync(Pattern.Take(0, 100));
                call.EndOutput();
                break;
            default:
                await call.WritePatternAsync(0, CallSettings.Window, 20_000);
                return call.Output
                    .WriteAsync(Pattern.Take(CallSettings.Window, 100), TestContext.Current.CancellationToken).AsTask();
        }

        return null;
    }
}
