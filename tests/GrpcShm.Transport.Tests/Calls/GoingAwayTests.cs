using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>A server that goes away, and the calls that meet it.</summary>
public sealed class GoingAwayTests
{
    [Fact]
    public async Task GoAway_CallThatHasItsIdAndHasSentNothing_IsServed()
    {
        await using var pair = await CallPair.CreateAsync();
        var late = pair.Begin();
        pair.Server.GoAway();
        await SettleAsync(pair);

        Assert.True(pair.Client.IsGoingAway);
        Assert.False(pair.Server.TakesNone, "The client has said that no more calls come, and one does.");
        await late.SendAsync(Pattern.Take(0, 10));
        await TimeLimit.UntilAsync(() => pair.Server.TakesNone, () => "The ping has no answer.");
        late.EndOutput();

        Assert.Equal(10, await late.ReadPatternAsync(0));
        await late.Left.InTime();
    }

    [Fact]
    public async Task GoAway_CallIsGivenUpBeforeItSendsAnything_DoesNotHoldTheAnswer()
    {
        await using var pair = await CallPair.CreateAsync();
        var late = pair.Begin();
        pair.Server.GoAway();
        await SettleAsync(pair);
        Assert.False(pair.Server.TakesNone, "The client has said that no more calls come, and one may.");

        late.Reset(CallError.Cancelled);

        await TimeLimit.UntilAsync(() => pair.Server.TakesNone, () => "The ping has no answer.");
    }

    [Fact]
    public async Task GoAway_WithoutCalls_IsIdleWhenThePingIsAnswered()
    {
        await using var pair = await CallPair.CreateAsync();
        var idle = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        pair.Server.OnIdle = () => idle.TrySetResult(pair.Server.TakesNone);

        pair.Server.GoAway();

        Assert.True(await idle.Task.InTime(), "It was idle before the client had heard of it.");
    }

    [Fact]
    public async Task GoAway_WithAPingUnderWay_ItsAnswerIsASignOfLife()
    {
        await using var pair = await CallPair.CreateAsync();

        // This call holds back the answer to the ping that follows the going away.
        var late = pair.Begin();
        var ping = pair.Server.PingAsync();
        pair.Server.GoAway();

        await ping.InTime();
        Assert.False(pair.Server.TakesNone, "The client has said that no more calls come, and one may.");
        late.Reset(CallError.Cancelled);
    }

    [Fact]
    public async Task TakeNone_CallThatComesNevertheless_IsRefused()
    {
        await using var pair = await CallPair.CreateAsync();
        var late = pair.Begin();

        pair.Server.TakeNone();
        late.EndOutput();

        Assert.Equal(CallError.Refused, (await late.Failed.InTime()).Error);
    }

    [Fact]
    public async Task GoAway_WhileManyThreadsBegin_EachCallIsServedOrHasNoPlace()
    {
        for (var round = 0; round < 100; round++)
        {
            await using var pair = await CallPair.CreateAsync();
            var callers = Enumerable.Range(0, 4).Select(_ => Task.Run(() => CallUntilItGoesAsync(pair))).ToArray();
            for (var begun = 0; begun <= round % 16; begun++)
            {
                await pair.AcceptedAsync();
            }

            pair.Server.GoAway();

            foreach (var caller in callers)
            {
                await caller.InTime();
            }

            await TimeLimit.UntilAsync(() => pair.Server.TakesNone, () => "The ping has no answer.");
        }
    }

    /// <summary>
    /// Waits until the client has looked at the server's frames, and the server at the client's answers.
    /// </summary>
    private static async Task SettleAsync(CallPair pair)
    {
        await pair.Client.PingAsync().InTime();
        await pair.Client.PingAsync().InTime();
    }

    private static async Task CallUntilItGoesAsync(CallPair pair)
    {
        while (true)
        {
            var call = new TestCall(pair.Profile);
            if (!pair.Client.TryBegin(call.Stream))
            {
                return;
            }

            call.SetHeaders((":method", "POST"), (":path", "/"));
            await call.SendAsync(Pattern.Take(0, 10));
            call.EndOutput();
            Assert.Equal(10, await call.ReadPatternAsync(0));
            await call.Left.InTime();
            Assert.Equal(0, call.TimesFailed);
        }
    }
}
