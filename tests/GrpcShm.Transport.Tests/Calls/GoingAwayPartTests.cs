using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>
/// <see cref="GoingAway"/> by itself; <see cref="GoingAwayTests"/> has both sides of a connection.
/// </summary>
public sealed class GoingAwayPartTests
{
    [Fact]
    public async Task Begin_Twice_IsSaidOnceWithAPingBehind()
    {
        await using var pair = await FramePair.CreateAsync(isFromServer: true);
        var goingAway = new GoingAway(new ControlFrames(pair.Sender, pair.Writer), new Pings());
        Assert.False(goingAway.IsUnderWay);

        goingAway.Begin();
        goingAway.Begin();

        Assert.True(goingAway.IsUnderWay);
        Assert.False(goingAway.TakesNone);
        Assert.Equal([(FrameType.GoAway, 0ul), (FrameType.Ping, 1ul)], pair.TakeControl());
    }

    [Fact]
    public async Task Answer_PingBehindIt_IsHeldUntilNoCallIsYetToBegin()
    {
        await using var pair = await FramePair.CreateAsync();
        var goingAway = new GoingAway(new ControlFrames(pair.Sender, pair.Writer), new Pings());
        var carrier = new CallConnection(pair.Sender, new CallSettings(), acceptor: null);
        var calls = new CallTable();
        var call = new TestCall().Stream;
        call.Attach(carrier);
        Assert.True(calls.TryAdd(call, maxCalls: 1, out _));
        goingAway.Answer(1, isClient: true);
        Assert.Equal([(FrameType.Pong, 1ul)], pair.TakeControl());
        Assert.True(goingAway.TryNote());
        Assert.False(goingAway.TryNote());

        goingAway.Answer(2, isClient: true);
        goingAway.AnswerHeldPing(carrier, calls);
        Assert.Empty(pair.TakeControl());

        calls.Remove(call, out _);
        goingAway.AnswerHeldPing(carrier, calls);
        Assert.Equal([(FrameType.Pong, 2ul)], pair.TakeControl());
        goingAway.AnswerHeldPing(carrier, calls);
        Assert.Empty(pair.TakeControl());
    }
}
