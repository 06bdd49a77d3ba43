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
    public void Expire_NothingOnTheLaneIsTakenForLong_GoesByTheHub()
    {
        _bench.Open("A", "X", route: 1, credit: 10);
        var sent = _bench.Send("A", "X");
        _bench.WriteLane();

        _bench.Now += _bench.Times.LongestDrain - 1;
        _bench.Use(routes => routes.Expire(_bench.Now));
        Assert.Empty(_bench.Broken);
        _bench.Now++;
        _bench.Use(routes => routes.Expire(_bench.Now));

        Assert.Same(_bench.Lane, Assert.Single(_bench.Broken));
        Assert.Same(sent, Assert.Single(_bench.Write()));
    }

    [Fact]
    public void Expire_TheOtherSideGoesOnTaking_LaneStays()
    {
        _bench.Open("A", "X", route: 1, credit: 10);
        for (var i = 1; i <= 4; i++)
        {
            _bench.Send("A", "X");
            _bench.Send("A", "X");
            _bench.WriteLane();
            _bench.Now += _bench.Times.LongestDrain - 1;
            _bench.Use(routes => Assert.True(routes.TryAccept(_bench.Lane, (ulong)i, _bench.Now)));
            _bench.Use(routes => routes.Expire(_bench.Now));
        }

        Assert.Empty(_bench.Broken);
    }

    [Fact]
    public void Send_WithFarTooMuchCredit_IsHeldWhenMuchIsNotTaken()
    {
        _bench.Open("A", "X", route: 1, credit: int.MaxValue);

        for (var i = 0; i < 5_000; i++)
        {
            _bench.Send("A", "X");
        }

        Assert.Equal(4096UL, _bench.Lane.Last);
        _bench.WriteLane();
        _bench.Use(routes => Assert.True(routes.TryAccept(_bench.Lane, 100, _bench.Now)));
        Assert.Equal(4196UL, _bench.Lane.Last);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ExpireIdle_OnlyTheOtherSideWaits_LaneStays(bool owes)
    {
        _bench.Now += _bench.Times.Idle;

        _bench.Use(routes => routes.ExpireIdle(_bench.Lane, owes, _bench.Now));

        Assert.Equal(owes, _bench.Idle.Count == 0);
    }

    [Fact]
    public void Grant_OnALaneThatTakesLeave_IsGivenUpAndAskedForAgain()
    {
        _bench.SendUntilAsked("A", "X");
        _bench.Use(routes => routes.Leave(_bench.Lane, _bench.Now));

        Assert.False(_bench.Grant("A", "X", route: 7));
        _bench.Answer(null);

        _bench.Now += _bench.Times.AskAgainAfter;
        Assert.True(_bench.IsAskedAfterSends("A", "X"));
    }

    [Fact]
    public void Grant_OfASessionThatHasEnded_IsNotTaken()
    {
        _bench.Use(routes => routes.End([_bench.Lane], _bench.Now));
        _bench.Use(routes => routes.Begin(new object(), 5, HubLimits.Unknown));
        _bench.SendUntilAsked("A", "X");

        Assert.False(_bench.Grant("A", "X", route: 7, _bench.Session));

        _bench.Use(static routes => Assert.Equal(0, routes.Count));
    }

    [Fact]
    public void Notes_AreForTheSessionInWhichTheyArose()
    {
        _bench.Open("A", "X", route: 1, credit: 1);

        _bench.Use(routes => routes.Withdraw(1, _bench.Now));

        Assert.Equal(1u, Assert.Single(_bench.Closed));
        Assert.Same(_bench.Session, _bench.Told);
    }

    [Theory]
    [InlineData("state", 40, 0)]
    [InlineData("state", 41, 3)]
    [InlineData("name", 40, 0)]
    [InlineData("name", 41, 3)]
    [InlineData("id", 10, 0)]
    [InlineData("id", 11, 3)]
    [InlineData("source", 11, 3)]
    [InlineData("target", 11, 3)]
    public void Answer_WithALongText_IsJudgedAsTheHubDoes(string part, int length, int expected)
    {
        _bench.Open("A", "X", route: 1, credit: 1);
        _bench.Send("A", "X", AcknowledgementLevel.Replied);
        _bench.WriteLane();
        var text = new string('x', length);
        var reply = new Event
        {
            Name = part == "name" ? text : "E", Id = part == "id" ? text : "",
            Source = part == "source" ? text : "", Target = part == "target" ? text : "",
        };

        var outcome = new LaneOutcome { Number = 1, Reply = reply, NewState = part == "state" ? text : "" };
        _bench.Use(routes => Assert.True(routes.TryAnswer(_bench.Lane, outcome, _bench.Now)));

        Assert.Equal(expected, Assert.Single(_bench.Outcomes)!.StatusCode);
    }

    [Fact]
    public void End_ARouteOfALaneThatIsForgotten_GivesItsEventsBackInOrder()
    {
        _bench.Open("A", "X", route: 1, credit: 1);
        PendingEvent[] sent = [_bench.Send("A", "X"), _bench.Send("A", "X")];
        _bench.WriteLane();

        _bench.Use(routes => routes.End([], _bench.Now));
        var next = _bench.Send("A", "X");

        PendingCommand[] expected = [.. sent, next];
        Assert.Equal(expected, _bench.Write());
        Assert.True(sent[0].IsRepeated);
        _bench.Use(static routes => Assert.Equal(0, routes.Count));
    }

    [Fact]
    public void Break_WhileAPublicationWaits_WhatWasSentBeforeStaysBeforeIt()
    {
        _bench.Open("A", "X", route: 1, credit: 10);
        var accepted = _bench.Send("A", "X", AcknowledgementLevel.Processed);
        var tail = _bench.Send("A", "X");
        _bench.WriteLane();
        _bench.Use(routes => Assert.True(routes.TryAccept(_bench.Lane, 1, _bench.Now)));
        var published = _bench.Publish("A");
        var later = _bench.Send("A", "X");
        Assert.Empty(_bench.Write());

        _bench.Use(routes => routes.Break(_bench.Lane, _bench.Now));

        PendingCommand[] expected = [accepted, tail, published, later];
        Assert.Equal(expected, _bench.Write());
        Assert.True(accepted.IsRepeated);
    }

    [Fact]
    public void Break_AfterThePublicationHasGone_WhatWasAcceptedBeforeItIsSentAgain()
    {
        _bench.Open("A", "X", route: 1, credit: 10);
        var accepted = _bench.Send("A", "X", AcknowledgementLevel.Processed);
        _bench.WriteLane();
        var published = _bench.Publish("A");
        _bench.Use(routes => Assert.True(routes.TryAccept(_bench.Lane, 1, _bench.Now)));
        Assert.Same(published, Assert.Single(_bench.Write()));

        var later = _bench.Send("A", "X");
        _bench.Use(routes => routes.Break(_bench.Lane, _bench.Now));

        // What was sent behind it has not gone yet.
        PendingCommand[] expected = [accepted, later];
        Assert.Equal(expected, _bench.Write());
        Assert.True(accepted.IsRepeated);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("X", 0)]
    [InlineData("B", 7)]
    public void Answer_AsAnotherMachine_IsRefused(string source, int expected)
    {
        _bench.Open("A", "X", route: 1, credit: 1);
        _bench.Send("A", "X", AcknowledgementLevel.Replied);
        _bench.WriteLane();
        var reply = new Event
        {
            Name = "E",
            Source = source,
            Sender = 9,
            Group = "g",
            MachineChange = new MachineChange { Kind = MachineChangeKind.Lost },
        };

        var answer = new LaneOutcome { Number = 1, Reply = reply };
        _bench.Use(routes => Assert.True(routes.TryAnswer(_bench.Lane, answer, _bench.Now)));

        var outcome = Assert.Single(_bench.Outcomes)!;
        Assert.Equal(expected, outcome.StatusCode);
        if (expected == 0)
        {
            // Only the hub says these.
            Assert.Equal((0ul, "", null), (outcome.Reply.Sender, outcome.Reply.Group, outcome.Reply.MachineChange));
        }
    }

    [Fact]
    public void Answer_WithAReplyThatIsTooLarge_FailsAsByTheHub()
    {
        _bench.Open("A", "X", route: 1, credit: 1);
        _bench.Send("A", "X", AcknowledgementLevel.Replied);
        _bench.WriteLane();
        var reply = new Event { Name = "E", Payload = Google.Protobuf.ByteString.CopyFrom(new byte[1_000]) };

        var answer = new LaneOutcome { Number = 1, Reply = reply };
        _bench.Use(routes => Assert.True(routes.TryAnswer(_bench.Lane, answer, _bench.Now)));

        Assert.Equal(13, Assert.Single(_bench.Outcomes)!.StatusCode);
    }

    [Fact]
    public void Send_AHandlerWaits_GoesByTheHubInItsPlace()
    {
        _bench.Open("A", "X", route: 1, credit: 10);
        _bench.Send("A", "X");
        _bench.WriteLane();
        var waiting = _bench.Send(
            "A", "X", AcknowledgementLevel.Processed, new HandlerWait { Number = 1, MachineId = "A" });
        var next = _bench.Send("A", "X");
        Assert.Empty(_bench.Write());

        _bench.Use(routes => Assert.True(routes.TryAccept(_bench.Lane, 1, _bench.Now)));

        PendingCommand[] expected = [waiting, next];
        Assert.Equal(expected, _bench.Write());
        Assert.Equal(1u, Assert.Single(_bench.Closed));
    }

    [Fact]
    public void Send_AHandlerWaitsWhileTheFenceIsOnItsWay_GoesByTheHubInItsPlace()
    {
        _bench.SendUntilAsked("A", "X");
        _bench.Grant("A", "X", route: 1);
        _bench.Answer(null);
        _bench.Write();
        PendingEvent[] sent =
        [
            _bench.Send("A", "X"),
            _bench.Send("A", "X", AcknowledgementLevel.Processed, new HandlerWait { Number = 1, MachineId = "A" }),
            _bench.Send("A", "X"),
        ];
        _bench.Answer(null);
        _bench.Use(routes => Assert.True(routes.TryAddCredit(_bench.Lane, 1, 10, _bench.Now)));

        Assert.Same(sent[0], Assert.Single(_bench.WriteLane()).Event);
        Assert.Empty(_bench.Write());
        _bench.Use(routes => Assert.True(routes.TryAccept(_bench.Lane, 1, _bench.Now)));

        Assert.Equal<PendingCommand>(sent[1..], _bench.Write());
    }

    [Fact]
    public void Send_HandlersWait_NoRouteIsAskedFor()
    {
        for (var i = 0; i < 10; i++)
        {
            _bench.Send("A", "X", AcknowledgementLevel.Processed, new HandlerWait { Number = 1, MachineId = "A" });
        }

        Assert.All(_bench.Write(), static command => Assert.IsType<PendingEvent>(command));
    }

    [Fact]
    public void Expire_TheOtherSideTakesOneNowAndThen_GoesByTheHub()
    {
        _bench.Open("A", "X", route: 1, credit: 10);
        for (var i = 0; i < 10; i++)
        {
            _bench.Send("A", "X");
        }

        _bench.WriteLane();
        for (ulong number = 1; number <= 2; number++)
        {
            _bench.Now += _bench.Times.LongestDrain - 1;
            _bench.Use(routes => routes.Expire(_bench.Now));
            _bench.Use(routes => Assert.True(routes.TryAccept(_bench.Lane, number, _bench.Now)));
        }

        // The first answer counts, as the one for all that was on the lane then. The second one does not.
        Assert.Empty(_bench.Broken);
        _bench.Now++;
        _bench.Use(routes => routes.Expire(_bench.Now));

        Assert.Single(_bench.Broken);
        Assert.Equal(8, _bench.Write().Count);
    }

    [Fact]
    public void Expire_ThisProcessWasStopped_LaneStaysForAsLongOnceMore()
    {
        _bench.Open("A", "X", route: 1, credit: 10);
        _bench.Send("A", "X");
        _bench.WriteLane();

        _bench.Now += 1_000_000;
        _bench.Use(routes => routes.Expire(_bench.Now, isLate: true));
        Assert.Empty(_bench.Broken);
        _bench.Now += _bench.Times.LongestDrain;
        _bench.Use(routes => routes.Expire(_bench.Now));

        Assert.Single(_bench.Broken);
    }

    [Fact]
    public void Expire_ARouteThatNobodyUses_EndsThoughItsLaneIsInUse()
    {
        _bench.Open("A", "X", route: 1, credit: 10);
        _bench.Now += _bench.Times.Idle - 1;
        _bench.Open("B", "X", route: 2, credit: 10);
        _bench.Send("B", "X");
        _bench.Use(routes => routes.Expire(_bench.Now));
        Assert.Empty(_bench.Closed);

        _bench.Now++;
        _bench.Use(routes => routes.Expire(_bench.Now));

        Assert.Equal(1u, Assert.Single(_bench.Closed));
        Assert.Empty(_bench.Broken);
    }

    [Fact]
    public void Publish_RouteEndsByIt_IsNotAskedForAtOnce()
    {
        _bench.Open("A", "X", route: 1, credit: 10);
        _bench.Send("A", "X");
        _bench.WriteLane();
        _bench.Publish("A");
        _bench.Use(routes => Assert.True(routes.TryAccept(_bench.Lane, 1, _bench.Now)));

        Assert.False(_bench.IsAskedAfterSends("A", "X"));
        _bench.Now += _bench.Times.AskWithin;
        Assert.True(_bench.IsAskedAfterSends("A", "X"));
    }
}
