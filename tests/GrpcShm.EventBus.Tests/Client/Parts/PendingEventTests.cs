using System.Buffers;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Wire;

namespace GrpcShm.EventBus.Tests.Client.Parts;

/// <summary>When the memory of a send is used for another one.</summary>
public sealed class PendingEventTests
{
    private readonly BoundedPool<PendingEvent> _pool = new(16);

    [Fact]
    public async Task Release_ByTheAnswerAndTheWrite_LetsAnotherSendHaveTheMemoryAndNothingElse()
    {
        var first = Take("first");
        var answer = first.Task;
        first.SetPlace(sender: 3, sequence: 4);
        (first.Number, first.IsRepeated, first.IsCarriedOut, first.EndedSessions) = (5, true, true, 6);
        first.Hold();

        first.Release();
        var second = Take("second");
        first.TrySetResult(null);
        first.Release();
        var third = Take("third");

        Assert.NotSame(first, second);
        Assert.Same(first, third);
        Assert.Null(await answer);
        Assert.False(third.Task.IsCompleted);
        Assert.Equal("third", third.Names.Name);
        Assert.Equal((0ul, false, false, 0), (third.Number, third.IsRepeated, third.IsCarriedOut, third.EndedSessions));
        Assert.Equal(Sent(new PendingEvent(third.Names, EventEncoder.Encode(Event("third"), default, []))), Sent(third));
    }

    [Fact]
    public void Release_OfASendThatWasWrittenTwice_WaitsForBothWrites()
    {
        var send = Take("twice");
        send.Hold();
        send.Hold();

        // One write, and the answer to the other one, which has not ended.
        send.Release();
        send.Release();

        Assert.Null(_pool.TryTake());
        send.Release();
        Assert.Same(send, _pool.TryTake());
    }

    [Fact]
    public void Release_OfALargeSend_LeavesItsMemoryToTheGarbageCollector()
    {
        Take(new string('n', 1000)).Release();

        Assert.Null(_pool.TryTake());
    }

    [Fact]
    public void Release_OfASendThatMayBeWatchedAfterItsAnswer_LeavesItAlone()
    {
        var watched = new PendingEvent(
            new EventNames("", "t", "n"), EventEncoder.Encode(Event("n"), default, [])) { Deadline = 1 };
        var answer = watched.Task;

        watched.Release();

        Assert.Same(answer, watched.Task);
        Assert.Equal("n", watched.Names.Name);
    }

    private static NewEvent Event(string name) =>
        new(new EventNames("s", "t", name), 1, new NewPayload(new byte[] { 1 }, "", "", false), null, []);

    private static byte[] Sent(PendingCommand command)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new FieldWriter(output);
        command.WriteTo(ref writer, number: 1);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private PendingEvent Take(string name) => PendingEvent.Take(Event(name), default, _pool);
}
