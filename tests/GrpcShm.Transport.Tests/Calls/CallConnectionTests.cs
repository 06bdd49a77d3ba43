using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

public sealed class CallConnectionTests
{
    private const int Mebi = 1024 * 1024;

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(100, 100)]
    [InlineData(2023, 2023)]
    [InlineData(2024, 2024)]
    [InlineData(2025, 2025)]
    [InlineData(10_000, 7)]
    [InlineData(CallSettings.Window, CallSettings.Window)]
    [InlineData(CallSettings.Window + 1, CallSettings.Window + 1)]
    [InlineData(4 * Mebi, 70_000)]
    [InlineData(64 * Mebi, Mebi)]
    public async Task Echo_AnySizeThroughTheSmallestRings_ComesBack(long count, int piece)
    {
        await using var pair = await CallPair.CreateAsync();
        await pair.EchoAsync(count, piece);
        await pair.VerifyIdleAsync();
    }

    [Theory]
    [InlineData((int)RunMode.Inline)]
    [InlineData((int)RunMode.ThreadPool)]
    [InlineData((int)RunMode.Adaptive)]
    public async Task Echo_ManyCallsAtOnce_EachHasItsOwnData(int mode)
    {
        await using var pair = await CallPair.CreateAsync(settings: new CallSettings { RunMode = (RunMode)mode });
        var random = new Random(4711);
        await Task.WhenAll(
            Enumerable.Range(0, 200).Select(i => pair.EchoAsync(random.Next(20_000), random.Next(1, 5_000))));
        await pair.VerifyIdleAsync();
    }

    [Fact]
    public async Task ReadWhole_MessageLargerThanTheWindow_Comes()
    {
        await using var pair = await CallPair.CreateAsync(static async call =>
        {
            var message = await call.ReadWholeAsync();
            call.SetHeaders((":status", "200"));
            await call.Output.WriteAsync(message);
            call.EndOutput();
        });
        var call = pair.Begin();
        var write = call.WritePatternAsync(0, 3 * Mebi, 3 * Mebi);
        await write;
        call.EndOutput();
        var bytes = await call.ReadWholeAsync();
        Assert.Equal(3 * Mebi, bytes.Length);
        Pattern.Verify(bytes, 0);
    }

    [Fact]
    public async Task Write_SmallPieceThenLargeOne_KeepsTheirOrder()
    {
        await using var pair = await CallPair.CreateAsync();
        var call = pair.Begin();
        var read = call.ReadPatternAsync(0);
        Pattern.Fill(call.Output.GetSpan(5), 0);
        call.Output.Advance(5);
        await call.Output.WriteAsync(Pattern.Take(5, 100_000), TestContext.Current.CancellationToken).InTime();
        call.EndOutput();
        Assert.Equal(100_005, await read);
    }

    [Fact]
    public async Task SlowReader_OfOneCall_HoldsUpNoOther()
    {
        await using var pair = await CallPair.CreateAsync(static async call =>
        {
            // Reads nothing until a call that overtakes it tells it to, by the path in its headers.
            var path = (await call.HeadersReceived).Single(f => f.Name == ":path").Value;
            if (path == "/slow")
            {
                await call.EndReceived.WaitAsync(TimeLimit.Value);
            }

            await CallPair.EchoAsync(call);
        });

        // As much data as the window allows is taken though nobody reads; the rest waits here.
        var slow = pair.Begin("/slow");
        await slow.WritePatternAsync(0, CallSettings.Window, 10_000);
        var more = slow.Output.WriteAsync(
            Pattern.Take(CallSettings.Window, 100_000), TestContext.Current.CancellationToken);
        Assert.False(more.IsCompleted);

        for (var i = 0; i < 20; i++)
        {
            await pair.EchoAsync(50_000, 3_000);
        }

        Assert.False(more.IsCompleted);
        slow.Reset(CallError.Cancelled);
        Assert.True((await more.InTime()).IsCompleted);
        await slow.Left.InTime();
        await pair.VerifyIdleAsync();
    }

    [Fact]
    public async Task SmallCall_IsOneFrameEachWay()
    {
        await using var pair = await CallPair.CreateAsync(static async call =>
        {
            call.HoldsBack = true;
            var message = await call.ReadWholeAsync();
            call.SetHeaders((":status", "200"));
            await call.SendAsync(message);
            call.SetTrailers(("grpc-status", "0"));
            call.EndOutput();
        });
        var sent = (pair.ClientConnection.Counters.BytesSent, pair.ServerConnection.Counters.BytesSent);
        var call = pair.Begin();
        call.HoldsBack = true;
        await call.SendAsync(Pattern.Take(0, 10));
        call.EndOutput();
        Assert.Equal(10, await call.ReadPatternAsync(0));
        await call.Left.InTime();
        Assert.Equal(
            (sent.Item1 + 64, sent.Item2 + 64),
            (pair.ClientConnection.Counters.BytesSent, pair.ServerConnection.Counters.BytesSent));
    }

    [Fact]
    public async Task End_ByTheServerFirst_ClientIsToldToStopAndBothLeave()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var pair = await CallPair.CreateAsync(call =>
        {
            call.SetHeaders((":status", "200"));
            call.EndOutput();
            ended.SetResult();
            return Task.CompletedTask;
        });
        var call = pair.Begin();
        await call.SendAsync(Pattern.Take(0, 10));
        await call.EndReceived.InTime();
        await call.Left.InTime();
        Assert.True((await call.Output.FlushAsync(TestContext.Current.CancellationToken).InTime()).IsCompleted);
        Assert.Equal(0, call.TimesFailed);
        var server = await pair.AcceptedAsync();
        await server.Left.InTime();
        Assert.Equal(CallError.None, (await server.Failed.InTime()).Error);
        await ended.Task.InTime();
    }

    [Fact]
    public async Task Headers_LargerThanAFrame_Continue()
    {
        var value = new string('x', 20_000);
        await using var pair = await CallPair.CreateAsync(async call =>
        {
            Assert.Contains(("some-name", value), await call.HeadersReceived);
            call.SetHeaders(("other-name", value), (":status", "200"));
            await call.Output.FlushAsync();
            Assert.Equal(10, await call.ReadPatternAsync(0));
            call.SetTrailers(("last-name", value), ("grpc-status", "0"));
            call.EndOutput();
        });
        var call = pair.Begin();
        call.SetHeaders(("some-name", value), (":path", "/x"));
        await call.SendAsync(Pattern.Take(0, 10));
        call.SetTrailers(("end-name", value));
        call.EndOutput();
        Assert.Equal([("other-name", value), (":status", "200")], await call.HeadersReceived.InTime());
        Assert.Equal([("last-name", value), ("grpc-status", "0")], await call.TrailersReceived.InTime());
        var server = await pair.AcceptedAsync();
        await server.Handled.InTime();
        Assert.Equal([("end-name", value)], await server.TrailersReceived.InTime());
        await call.Left.InTime();
        Assert.Equal((0, 0), (call.TimesFailed, server.TimesFailed));
    }

    [Fact]
    public async Task Headers_OfManyCallsThatMeetNoRoom_ComeInFull()
    {
        var value = new string('x', 5_000);
        await using var pair = await CallPair.CreateAsync();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            var call = pair.Begin();
            call.SetHeaders((":path", $"/{i}"), ("some-name", value));
            call.EndOutput();
            await call.EndReceived.InTime();
            await call.Left.InTime();
        }));
        await pair.VerifyIdleAsync();
    }

    [Fact]
    public async Task TryBegin_WithAsManyCallsAsTheServerTakes_WaitsForOneToLeave()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var pair = await CallPair.CreateAsync(
            async call =>
            {
                await go.Task.WaitAsync(TimeLimit.Value);
                await CallPair.EchoAsync(call);
            },
            maxCalls: 2);
        using var room = new SemaphoreSlim(0);
        pair.Client.OnRoom = () => room.Release();
        Assert.Equal((2, 2), (pair.Client.MaxCalls, pair.Server.MaxCalls));
        Assert.True(pair.Client.AskForRoom());
        var first = pair.Begin();
        var second = pair.Begin();
        await first.SendAsync(Pattern.Take(0, 1));
        await second.SendAsync(Pattern.Take(0, 1));

        Assert.True(pair.Client.IsFull);
        Assert.False(pair.Client.TryBegin(new TestCall().Stream));
        Assert.False(pair.Client.AskForRoom());
        go.SetResult();
        foreach (var call in new[] { first, second })
        {
            call.EndOutput();
            Assert.Equal(1, await call.ReadPatternAsync(0));
            await call.Left.InTime();
        }

        Assert.True(await room.WaitAsync(TimeLimit.Value, TestContext.Current.CancellationToken));
        Assert.True(pair.Client.AskForRoom());
        await pair.VerifyIdleAsync();
        Assert.Equal(0, room.CurrentCount);
    }

    [Fact]
    public async Task GoAway_CallsUnderWayGoOn_NewOnesHaveNoPlace()
    {
        await using var pair = await CallPair.CreateAsync();
        var told = 0;
        var goingAway = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        pair.Client.OnGoingAway = () =>
        {
            Interlocked.Increment(ref told);
            goingAway.SetResult();
        };
        var call = pair.Begin();
        await call.SendAsync(Pattern.Take(0, 10));
        await call.HeadersReceived.InTime();

        pair.Server.GoAway();
        pair.Server.GoAway();
        await goingAway.Task.InTime();
        Assert.False(pair.Client.TryBegin(new TestCall().Stream));

        await call.SendAsync(Pattern.Take(10, 10));
        call.EndOutput();
        Assert.Equal(20, await call.ReadPatternAsync(0));
        await call.Left.InTime();
        Assert.Equal(1, told);
    }

    [Fact]
    public async Task Ping_BothSides_AreAnsweredWhileDataFlows()
    {
        await using var pair = await CallPair.CreateAsync();
        var echo = pair.EchoAsync(Mebi, 10_000);
        for (var i = 0; i < 20; i++)
        {
            await pair.Client.PingAsync().InTime();
            await pair.Server.PingAsync().InTime();
        }

        await echo;
    }

    [Fact]
    public async Task Slots_OfCallsInQuickSuccession_AreFreeAgain()
    {
        // The client begins its next call in the slot of its last call as soon as it sees the end of that call. This
        // may be before the server's thread that sent the end has come back.
        await using var pair = await CallPair.CreateAsync(
            static call =>
            {
                call.SetHeaders((":status", "200"));
                call.EndOutput();
                return Task.CompletedTask;
            },
            new CallSettings { RunMode = RunMode.ThreadPool });
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 5_000; i++)
            {
                var call = pair.Begin();
                call.EndOutput();
                await call.EndReceived.InTime();
                await call.Left.InTime();
            }
        })));
        Assert.False(pair.Server.Completion.IsCompleted);
    }

    [Fact]
    public async Task TryBegin_MoreThanAllowed_FailsUntilOneHasLeft()
    {
        await using var pair = await CallPair.CreateAsync();
        var calls = Enumerable.Range(0, CallTable.MaxSlots).Select(_ => pair.Begin()).ToList();
        Assert.False(pair.Client.TryBegin(new TestCall().Stream));
        calls.ForEach(call => call.Reset(CallError.Cancelled));
        Assert.All(calls, call => Assert.True(call.Left.IsCompleted));
        await pair.VerifyIdleAsync();
    }

    [Fact]
    public async Task Checksums_WithoutAFlippedBit_AreNotNoticed()
    {
        await using var pair = await CallPair.CreateAsync(useChecksums: true);
        Assert.True(pair.ClientConnection.HasChecksums);
        await Task.WhenAll(Enumerable.Range(1, 20).Select(i => pair.EchoAsync(i * 10_000, 1_000 * i)));
        await pair.VerifyIdleAsync();
    }

    [Fact]
    public async Task Waiting_SmallCallsTakeTheRoom_LargeFramesHaveTheirTurn()
    {
        // A frame of half the ring needs an empty ring, which it never finds while small frames take the room.
        await using var pair = await CallPair.CreateAsync();
        var isDone = false;
        var small = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!Volatile.Read(ref isDone))
            {
                await pair.EchoAsync(300, 1);
            }
        })).ToList();
        await pair.EchoAsync(Mebi, 100_000);
        Volatile.Write(ref isDone, true);
        await Task.WhenAll(small).InTime();
        await pair.VerifyIdleAsync();
    }
}
