using Grpc.Core;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service.Parts;

/// <summary>The waits of one session's handlers, by themselves.</summary>
public sealed class SessionWaitsTests : SessionPartTest
{
    private readonly SessionWaits _waits;

    public SessionWaitsTests()
    {
        _waits = new SessionWaits(Hub, Outbox);
        Subscribe("a", Owner, Outbox);
        Subscribe("b", Owner, Outbox);
    }

    [Fact]
    public void Begin_ThatClosesACircle_IsRefusedAndNotNoted()
    {
        Assert.True(Begin(1, "a", "b").IsOk);

        Assert.Equal(StatusCode.FailedPrecondition, Begin(2, "b", "a").Code);

        Assert.Equal(1, Hub.Waits.Count);
        _waits.End(2);
        Assert.Equal(1, Hub.Waits.Count);
        _waits.End(1);
        Assert.Equal(0, Hub.Waits.Count);
        Assert.True(Begin(3, "b", "a").IsOk);
    }

    [Fact]
    public void Begin_ForAMachineOfAnotherSession_IsNotNoted()
    {
        Subscribe("other", MakeOwner("other"), new Outbox(runWriterInline: false));

        Assert.True(Begin(1, "other", "a").IsOk);
        Assert.True(Begin(2, "unknown", "a").IsOk);
        Assert.True(Begin(0, "a", "other").IsOk);

        Assert.Equal(0, Hub.Waits.Count);
    }

    [Fact]
    public void Begin_ANumberTwice_IsNotedOnce()
    {
        Begin(1, "a", "b");
        Begin(1, "a", "c");

        Assert.Equal(1, Hub.Waits.Count);
        _waits.End(1);
        Assert.Equal(0, Hub.Waits.Count);
    }

    [Fact]
    public void EndAllOf_OneMachine_LeavesTheOthers()
    {
        Begin(1, "a", "x");
        Begin(2, "a", "y");
        Begin(3, "b", "x");

        _waits.EndAllOf("a");

        Assert.Equal(1, Hub.Waits.Count);
        Assert.True(Begin(4, "a", "x").IsOk);
    }

    [Fact]
    public void Close_EndsAllAndTakesNoMore()
    {
        Begin(1, "a", "x");
        Begin(2, "b", "x");

        _waits.Close();
        Begin(3, "a", "b");

        Assert.Equal(0, Hub.Waits.Count);
    }

    private Verdict Begin(ulong number, string waiting, string awaited) =>
        _waits.Begin(new HandlerWait { Number = number, MachineId = waiting }, awaited, null);
}
