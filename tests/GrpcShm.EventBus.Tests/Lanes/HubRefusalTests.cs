using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using Microsoft.AspNetCore.Builder;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>Which routes the hub refuses.</summary>
public sealed class HubRefusalTests : HubLaneTest
{
    /// <summary>Subscriptions that could get an event from "a" to "b".</summary>
    public static TheoryData<Subscription> Observers { get; } =
    [
        new Subscription { Machine = "b" },
        new Subscription { All = new AllEvents() },
        new Subscription { Pattern = new EventPattern() },
        new Subscription { Pattern = new EventPattern { Target = "b" } },
        new Subscription { Pattern = new EventPattern { Target = "b", Source = "a", Name = "X", Group = "*" } },
        new Subscription { Pattern = new EventPattern { Source = "a" } },
        new Subscription { Pattern = new EventPattern { Source = "?", Target = "b*" } },
        new Subscription { Pattern = new EventPattern { Name = "X" } },
        new Subscription { Pattern = new EventPattern { Name = "X*", Source = "*a" } },
    ];

    /// <summary>Subscriptions that get no event that "a" sends to "b" and that tells of no change of state.</summary>
    public static TheoryData<Subscription> OtherObservers { get; } =
    [
        new Subscription { Machine = "a" },
        new Subscription { StateChanges = "a" },
        new Subscription { StateChanges = "*" },
        new Subscription { Group = "g" },
        new Subscription { MachineChanges = "*" },
        new Subscription { Pattern = new EventPattern { Target = "c" } },
        new Subscription { Pattern = new EventPattern { Source = "b", Target = "a" } },
        new Subscription { Pattern = new EventPattern { Source = "c*" } },
        new Subscription { Pattern = new EventPattern { Name = "X", Target = "c*" } },
        new Subscription { Pattern = new EventPattern { Name = "TEMP*", Target = "c*" } },
        new Subscription { Pattern = new EventPattern { Group = "g" } },
        new Subscription { Pattern = new EventPattern { Target = "b", Group = "g*" } },
    ];

    protected override void Build(WebApplicationBuilder builder) => UserHeader.AddTo(builder);

    [Theory]
    [MemberData(nameof(Observers))]
    public async Task Request_WhatAnObserverCouldSee_MayBeAskedForAgain(Subscription observer)
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        Assert.Equal("", (await ObserveAsync(observing, observer).InTime()).Message);

        AssertRefused(StatusCode.FailedPrecondition, true, await RequestAsync(source));

        await observing.ExecuteAsync(new SessionCommand { Unsubscribe = 9 }).InTime();
        await GrantAsync(source);
    }

    [Theory]
    [MemberData(nameof(OtherObservers))]
    public async Task Request_WhatNoObserverSees_IsGranted(Subscription observer)
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        Assert.Equal("", (await ObserveAsync(observing, observer).InTime()).Message);

        await GrantAsync(source);
    }

    [Fact]
    public async Task Request_MoreNamesAreObservedThanTheHubLooksAt_IsRefused()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        await observing.SendAsync(
            [
                .. Enumerable.Range(1, 1025).Select(static i => new SessionCommand
                {
                    Subscribe = new Subscription
                    {
                        Number = (uint)i, Pattern = new EventPattern { Name = $"E{i}", Target = "c*" },
                    },
                }),
            ]).InTime();
        await observing.CompletedAsync().InTime();
        Assert.Empty(observing.Failures);

        AssertRefused(StatusCode.FailedPrecondition, true, await RequestAsync(source));

        await observing.ExecuteAsync(new SessionCommand { Unsubscribe = 5 }).InTime();
        await GrantAsync(source);
    }

    [Fact]
    public async Task Request_MachinesThatAreNotThere_MayBeAskedForAgain()
    {
        await using var source = await OpenMachineWithLanesAsync("a");

        AssertRefused(StatusCode.NotFound, true, await RequestAsync(source, "x", "a"));
        AssertRefused(StatusCode.NotFound, true, await RequestAsync(source));

        await using var target = await OpenLanesAsync();
        await target.ExecuteAsync(new SessionCommand { Register = new Registration { MachineId = "b" } }).InTime();
        AssertRefused(StatusCode.FailedPrecondition, true, await RequestAsync(source));
        await SubscribeAsync(target, new Subscription { Number = 1, Inbox = "b" });
        await GrantAsync(source);
    }

    [Fact]
    public async Task Request_ByASessionThatTakesNoLanes_IsRefused()
    {
        await using var source = await OpenMachineAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");

        AssertRefused(StatusCode.FailedPrecondition, false, await RequestAsync(source));
    }

    [Fact]
    public async Task Request_ForAMachineOfAnotherSession_IsRefused()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");

        AssertRefused(StatusCode.FailedPrecondition, false, await RequestAsync(source, "b", "a"));
    }

    [Fact]
    public async Task Request_ToTargetsThatTakeNoLanes_IsRefused()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var session = await OpenMachineAsync("of-a-session");
        using var call = Client.Subscribe(
            new SubscribeRequest { Subscription = new Subscription { Inbox = "of-a-call" } });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        using var local = await Server.Hub.SubscribeAsync("of-the-hub", static _ => Task.CompletedTask);
        await SubscribeAsync(source, new Subscription { Number = 2, Inbox = "of-the-same" });

        foreach (var target in new[] { "of-a-session", "of-a-call", "of-the-hub", "of-the-same", "a" })
        {
            AssertRefused(StatusCode.FailedPrecondition, false, await RequestAsync(source, target: target));
        }

        Assert.Equal((0, 0), (Table.Lanes, Table.AllRoutes));
    }

    [Theory]
    [InlineData(OverflowPolicy.DropOldest)]
    [InlineData(OverflowPolicy.DropNewest)]
    [InlineData(OverflowPolicy.Grow)]
    public async Task Request_ToAMailboxThatDoesNotBlock_IsRefused(OverflowPolicy policy)
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync(
            "b", mailbox: new MailboxSettings { OverflowPolicy = policy });

        AssertRefused(StatusCode.FailedPrecondition, false, await RequestAsync(source));
    }

    [Fact]
    public async Task Request_WhereNobodyListens_IsRefused()
    {
        await using var source = await OpenMachineWithLanesAsync("a", "");
        await using var target = await OpenMachineWithLanesAsync("b", "");

        AssertRefused(StatusCode.FailedPrecondition, false, await RequestAsync(source));
    }

    [Fact]
    public async Task Request_ToAnotherUser_IsRefused()
    {
        await using var source = OpenSessionOf("alice");
        await OpenAsync(source, LaneAddress);
        await SubscribeAsync(source, new Subscription { Number = 1, Inbox = "a" });
        await using var target = OpenSessionOf("bob");
        await OpenAsync(target, LaneAddress);
        await SubscribeAsync(target, new Subscription { Number = 1, Inbox = "b" });

        AssertRefused(StatusCode.FailedPrecondition, false, await RequestAsync(source));
    }

    [Fact]
    public async Task Request_OfAPairThatHasARoute_IsRefused()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await GrantAsync(source);

        AssertRefused(StatusCode.FailedPrecondition, true, await RequestAsync(source));
    }

    [Theory]
    [InlineData("", "b")]
    [InlineData("a", "")]
    [InlineData("a", "b\n")]
    public async Task Request_WithNamesThatAreNone_IsInvalid(string source, string target)
    {
        await using var session = await OpenMachineWithLanesAsync("a");

        AssertRefused(StatusCode.InvalidArgument, false, await RequestAsync(session, source, target));
    }

    [Theory]
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    public async Task Open_WithALongAddress_IsTakenWithinTheBound(int length, bool isTaken)
    {
        await using var session = OpenSession();
        var open = new OpenSession { TakesLanes = true, LaneAddress = new string('x', length) };

        var outcome = await session.ExecuteAsync(new SessionCommand { Open = open }).InTime();

        Assert.Equal((int)(isTaken ? StatusCode.OK : StatusCode.InvalidArgument), outcome.StatusCode);
    }
}
