using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

public sealed class ControlFramesTests
{
    [Fact]
    public async Task Send_Room_GoesAtOnce()
    {
        await using var pair = await FramePair.CreateAsync();
        var control = new ControlFrames(pair.Sender, pair.Writer);

        control.Send(FrameType.Ping, 1);
        control.Answer(7);

        Assert.Equal([(FrameType.Ping, 1ul), (FrameType.Pong, 7ul)], pair.TakeControl());
    }

    [Fact]
    public async Task Flush_RoomAfterThereWasNone_SendsAllAndOfTheAnswersTheLast()
    {
        await using var pair = await FramePair.CreateAsync();
        var control = new ControlFrames(pair.Sender, pair.Writer);
        pair.Fill(1000);
        pair.Fill(1);
        control.Send(FrameType.Ping, 1);
        control.Answer(7);
        control.Answer(8);
        Assert.Empty(pair.TakeControl());

        control.Flush();

        Assert.Equal([(FrameType.Pong, 8ul), (FrameType.Ping, 1ul)], pair.TakeControl());
        control.Flush();
        Assert.Empty(pair.TakeControl());
    }

    [Fact]
    public async Task End_SomethingWaits_SendsNothingAnyMore()
    {
        await using var pair = await FramePair.CreateAsync();
        var control = new ControlFrames(pair.Sender, pair.Writer);
        Assert.True(control.TryCountTaken(out _));
        pair.Fill(1000);
        pair.Fill(1);
        control.Send(FrameType.Ping, 1);

        control.End();

        pair.TakeAll(out _);
        control.Flush();
        control.Send(FrameType.Ping, 2);
        control.Answer(7);
        Assert.Empty(pair.TakeControl());
        Assert.False(control.TryCountTaken(out _));
    }
}
