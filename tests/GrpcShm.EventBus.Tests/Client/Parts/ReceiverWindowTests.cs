using CsCheck;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Lanes;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client.Parts;

/// <summary>What a receiver keeps of what came before, by itself.</summary>
public sealed class ReceiverWindowTests
{
    [Fact]
    public void GiveRoom_WithoutASession_GrantsNothing()
    {
        var window = new ReceiverWindow(1);

        Assert.Null(window.GiveRoom(1).Credit);
        window.GiveRoom(1).Tell();
    }

    [Fact]
    public void GiveRoom_ByTheWayOfTheEvent_GoesBackToThatWay()
    {
        var (window, route) = (new ReceiverWindow(16), NewRoute());
        window.BeginIn(null!, new Subscription());
        Assert.Equal((4, 4), window.Add(route, 4));

        for (var i = 0; i < 4; i++)
        {
            Assert.True(ReceiverWindow.TryTakeRoom(route));
        }

        Assert.False(ReceiverWindow.TryTakeRoom(route));
        Assert.Null(window.GiveRoom(1, route).RouteCredit);
        var grant = window.GiveRoom(1, route);
        Assert.Same(route, grant.Route);
        Assert.Null(grant.Credit);
        Assert.Equal(2u, grant.RouteCredit?.Deliveries);
        Assert.Equal(2, route.Granted);
    }

    [Fact]
    public void Remove_OfARoute_GivesItsShareBackToTheHub()
    {
        var (window, route) = (new ReceiverWindow(8), NewRoute());
        window.BeginIn(null!, new Subscription());
        window.Add(route, 4);
        Assert.True(ReceiverWindow.TryTakeRoom(route));

        route.IsOver = true;
        window.Remove(route, 1);
        window.GiveRoom(1, route);

        // All of the window is the hub's again.
        var command = new Subscription();
        window.BeginIn(null!, command);
        Assert.Equal(8u, command.Credit);
        Assert.False(ReceiverWindow.TryTakeRoom(route));
    }

    [Fact]
    public void Add_RouteAfterRoute_LeavesHalfOfTheWindowToTheHub()
    {
        var window = new ReceiverWindow(16);
        window.BeginIn(null!, new Subscription());

        Assert.Equal([4, 2, 1, 1, null], Enumerable.Range(0, 5).Select(_ => window.Add(NewRoute(), 100)?.OfTheHub));
        var command = new Subscription();
        window.BeginIn(null!, command);
        Assert.Equal(8u, command.Credit);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(1024, 5)]
    public void Add_AsManyRoutesAsThereMayBe_NoneHasTooLittle(int size, int routes)
    {
        var window = new ReceiverWindow(size);
        window.BeginIn(null!, new Subscription());

        var count = 0;
        while (window.Add(NewRoute(), 1024) is { } begun)
        {
            Assert.True(begun.Room >= Math.Max(1, size / 64));
            count++;
        }

        Assert.Equal(routes, count);
    }

    [Fact]
    public void AnySteps_NobodyGetsMoreThanThereIs_AndNobodyStarves() =>
        Gen.Select(Gen.Int[1, 40], Gen.Select(Gen.Enum<WindowStep>(), Gen.Int[0, 3]).Array[0, 200]).Sample(
            static (size, steps) =>
            {
                var model = new WindowModel(size);
                foreach (var (step, route) in steps)
                {
                    model.Run(step, route);
                    model.CheckBounds();
                }

                model.ComeToRest();
                model.CheckNobodyStarves();
                model.EndRoutes();
                model.CheckAllIsTheHubs();
            },
            iter: 5_000);

    [Fact]
    public void Remove_WhileALostSessionStillBringsEvents_TheWindowStaysWhole()
    {
        var (window, route) = (new ReceiverWindow(16), NewRoute());
        var lost = WindowModel.NewSession();
        window.BeginIn(lost, new Subscription());
        window.BeginIn(WindowModel.NewSession(), new Subscription());
        for (var i = 0; i < 4; i++)
        {
            window.TakeRoom(lost);
        }

        Assert.Equal((1, 1), window.Add(route, 1));
        route.IsOver = true;
        window.Remove(route, 1);
        for (var i = 0; i < 4; i++)
        {
            window.GiveRoom(1);
        }

        var command = new Subscription();
        window.BeginIn(lost, command);
        Assert.Equal((16u, 0, 0L), (command.Credit, route.Share, route.Owed));
    }

    [Fact]
    public void Add_WhatTheHubHasNot_IsNotTaken()
    {
        var window = new ReceiverWindow(16);
        window.BeginIn(null!, new Subscription());
        for (var i = 0; i < 15; i++)
        {
            window.TakeRoom(null!);
        }

        Assert.Equal((1, 1), window.Add(NewRoute(), 100));
        Assert.Equal((0, 0), window.Add(NewRoute(), 100));
    }

    [Fact]
    public void IsRepeated_OfEachSender_IsWhatHasComeBefore()
    {
        var repeated = new RepeatedEvents();

        Assert.False(repeated.IsRepeated(1, "A", 5));
        Assert.True(repeated.IsRepeated(1, "A", 5));
        Assert.True(repeated.IsRepeated(1, "A", 4));
        Assert.False(repeated.IsRepeated(2, "A", 4));
        Assert.False(repeated.IsRepeated(1, "A", 6));
        Assert.False(repeated.IsRepeated(0, "A", 6));
        Assert.False(repeated.IsRepeated(0, "A", 6));
        Assert.False(repeated.IsRepeated(1, "B", 4));
    }

    [Fact]
    public void IsRepeated_AfterMoreSendersThanAreKept_ForgetsRatherThanGrows()
    {
        var repeated = new RepeatedEvents();
        repeated.IsRepeated(1, "A", 1);
        for (ulong sender = 2; sender < 9000; sender++)
        {
            repeated.IsRepeated(sender, "A", 1);
        }

        Assert.False(repeated.IsRepeated(1, "A", 1));
    }

    [Fact]
    public void IsRepeated_SenderComesAgainAndAgainAmongManyOthers_IsNotForgotten()
    {
        var repeated = new RepeatedEvents();
        repeated.IsRepeated(1, "A", 1);
        for (ulong sender = 2; sender < 20_000; sender++)
        {
            repeated.IsRepeated(sender, "A", 1);
            Assert.True(repeated.IsRepeated(1, "A", 1));
        }
    }

    private static TargetRoute NewRoute() => new(new RouteGrant { Route = 3 }, null!, null!);
}
