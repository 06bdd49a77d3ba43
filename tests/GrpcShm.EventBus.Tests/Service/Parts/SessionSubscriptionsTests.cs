using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service.Parts;

/// <summary>The subscriptions of one session, by themselves.</summary>
public sealed class SessionSubscriptionsTests : SessionPartTest
{
    private readonly SessionLife _life;
    private readonly SessionWaits _waits;
    private readonly SessionSubscriptions _subscriptions;

    public SessionSubscriptionsTests()
    {
        _life = new SessionLife(Hub, Owner);
        _waits = new SessionWaits(Hub, Outbox);
        _subscriptions = new SessionSubscriptions(
            Hub, Owner, new SessionOrigin(Owner), Outbox, _life, _waits);
    }

    [Fact]
    public void Subscribe_ANumberThatIsZeroOrInUse_IsInvalid()
    {
        Assert.True(Subscribe(1, "m").IsOk);

        Assert.Equal(StatusCode.InvalidArgument, Subscribe(0, "n").Code);
        Assert.Equal(StatusCode.InvalidArgument, Subscribe(1, "n").Code);

        Assert.Equal(1, _subscriptions.Count);
        Assert.Equal(1, Hub.Metrics.Subscriptions);
    }

    [Fact]
    public void Subscribe_MoreThanTheOptionsAllow_IsExhaustedUntilOneEnds()
    {
        Options.MaxSubscriptionsPerSession = 1;
        Assert.True(Subscribe(1, "m").IsOk);

        Assert.Equal(StatusCode.ResourceExhausted, Subscribe(2, "n").Code);

        Assert.True(_subscriptions.Unsubscribe(1).IsOk);
        Assert.True(Subscribe(2, "n").IsOk);
    }

    [Fact]
    public void Unsubscribe_FromAnInbox_EndsTheWaitsOfItsMachine()
    {
        Subscribe(1, "m");
        _waits.Begin(new HandlerWait { Number = 1, MachineId = "m" }, "other", null);
        Assert.Equal(1, Hub.Waits.Count);

        Assert.True(_subscriptions.Unsubscribe(1).IsOk);

        Assert.Equal(0, Hub.Waits.Count);
        Assert.Equal(StatusCode.NotFound, _subscriptions.Unsubscribe(1).Code);
    }

    [Fact]
    public void Unregister_AMachine_EndsTheSubscriptionToItsInbox()
    {
        Subscribe(1, "m");

        Assert.True(_subscriptions.Unregister("m").IsOk);

        Assert.Equal(0, _subscriptions.Count);
        Assert.Equal(0, Hub.Metrics.Subscriptions);
        Assert.Equal(0, Hub.Machines.Count);
    }

    [Fact]
    public void Release_EndsAllSubscriptions_AndALaterOneDoesNotStand()
    {
        Subscribe(1, "m");

        _subscriptions.Release();
        var late = Subscribe(2, "n");

        Assert.Equal(StatusCode.Unavailable, late.Code);
        Assert.Equal(0, Hub.Metrics.Subscriptions);
    }

    [Fact]
    public void Subscribe_WhenTheSessionHasEnded_IsUnavailable()
    {
        _life.Begin();
        _life.End(Verdict.Ok);

        Assert.Equal(StatusCode.Unavailable, Subscribe(1, "m").Code);
        Assert.Equal(0, Hub.Metrics.Subscriptions);
    }

    private Verdict Subscribe(uint number, string machineId) =>
        _subscriptions.Subscribe(new Subscription { Number = number, Inbox = machineId }, Context, out _);
}
