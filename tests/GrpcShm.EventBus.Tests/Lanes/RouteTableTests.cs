using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>What a client's routes do in cases that a hub and another process rarely bring about.</summary>
public sealed class RouteTableTests
{
    private readonly RouteBench _bench = new();

    [Fact]
    public void Request_SucceedsWithoutAGrant_IsAskedAgainLater()
    {
        _bench.SendUntilAsked("A", "X");
        _bench.Answer(null);
        Assert.False(_bench.IsAskedAfterSends("A", "X"));

        _bench.Now += _bench.Times.AskAgainAfter;

        Assert.True(_bench.IsAskedAfterSends("A", "X"));
    }

    [Fact]
    public void Request_IsRefusedForGood_IsNotAskedAgain()
    {
        _bench.SendUntilAsked("A", "X");
        _bench.Answer(new Outcome { StatusCode = 12 });

        _bench.Now += _bench.Times.AskAgainAfter;

        Assert.False(_bench.IsAskedAfterSends("A", "X"));
    }

    [Fact]
    public void End_ARouteOfALaneThatIsForgotten_GivesItsEventsBackInOrder()
    {
        _bench.Open("A", "X", route: 1, credit: 1);
        PendingEvent[] sent = [_bench.Send("A", "X"), _bench.Send("A", "X")];
        _bench.WriteLane();

        _bench.Use(routes => routes.End([], _bench.Now));
        var next = _bench.Send("A", "X");

        Assert.Equal([.. sent, next], _bench.Write());
        Assert.True(sent[0].IsRepeated);
        _bench.Use(static routes => Assert.Equal(0, routes.Count));
    }
}
