using System.Security.Claims;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using GrpcShm.EventBus.Tests.Service.Parts;
using Microsoft.AspNetCore.Http;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>The hub's table of lanes and routes, without a server.</summary>
public sealed class HubLanesTests : SessionPartTest
{
    private int _connections;

    [Fact]
    public async Task Request_WakesTheTargetsWriterFirst()
    {
        var woken = new List<string>();
        var source = MakeSession("a", runsWriterInline: true);
        var target = MakeSession("b", runsWriterInline: true);
        var waking = Task.WhenAll(
            NoteWakeUpAsync(source.Outbox, "source"), NoteWakeUpAsync(target.Outbox, "target"));
        var context = new RoutingContext();

        Assert.True(Request(source, "a", "b", context).IsOk);
        context.SignalAll();

        await waking.InTime();
        Assert.Equal(["target", "source"], woken);

        async Task NoteWakeUpAsync(Outbox outbox, string name)
        {
            // An earlier signal would count as the one that is meant.
            outbox.Signal();
            await outbox.WaitAsync().ConfigureAwait(false);
            await outbox.WaitAsync().ConfigureAwait(false);
            woken.Add(name);
        }
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("", "alice")]
    [InlineData("alice", "bob")]
    public void Request_WhereTheUsersAreNotKnownToBeTheSame_IsRefused(string one, string other)
    {
        var source = MakeSession("a", user: one);
        MakeSession("b", user: other);

        var verdict = Request(source, "a", "b", Context);

        Assert.Contains("same user", verdict.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Request_OfTwoSessionsThatNameOneInstance_IsRefused()
    {
        var source = MakeSession("a", instance: "process");
        MakeSession("b", instance: "process");

        var verdict = Request(source, "a", "b", Context);

        Assert.Contains("same process", verdict.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Request_WhenASessionHasEnded_IsRefusedThoughItsMachineIsStillThere()
    {
        var source = MakeSession("a");
        var target = MakeSession("b");

        target.Release();
        var there = Request(source, "a", "b", Context);
        var back = Request(target, "b", "a", Context);

        Assert.False(there.IsOk);
        Assert.False(back.IsOk);
        Assert.Equal(0, Hub.Lanes.AllRoutes);
    }

    [Fact]
    public void Request_ASessionWithTooManyNoticesToRead_GetsNoFurtherOnes()
    {
        var source = MakeSession("a");
        var target = MakeSession("b");
        Verdict refused;
        var granted = 0;
        while ((refused = Request(source, "a", "b", Context)).IsOk)
        {
            granted++;
            var grants = new List<LaneNotice>();
            source.Notices.TakeAll(grants);
            var route = grants.Last(static notice => notice.Grant is not null).Grant.Route;

            // Both are done, but the target's client has not read a word.
            source.Close(new RouteClosed { Route = route }, Context);
            target.Close(new RouteClosed { Route = route }, Context);
            Assert.True(granted < 2000);
        }

        Assert.Contains("notices", refused.Message, StringComparison.Ordinal);
        Assert.InRange(target.Notices.Count, 1000, 1100);
        Assert.True(target.Notices.TakeAll([]) > 0);
        Assert.True(Request(source, "a", "b", Context).IsOk);
    }

    [Fact]
    public void End_OfAllSessions_LeavesNothing()
    {
        var source = MakeSession("a");
        var target = MakeSession("b");
        Assert.True(Request(source, "a", "b", Context).IsOk);
        Assert.True(Request(target, "b", "a", Context).IsOk);

        source.Release();
        target.Release();
        target.Release();

        Assert.Equal((0, 0, 0), (Hub.Lanes.Lanes, Hub.Lanes.Routes, Hub.Lanes.AllRoutes));
        Assert.Empty(source.Lanes);
        Assert.Empty(target.Routes);
    }

    [Fact]
    public async Task Observe_WhileRoutesComeAndGo_NoRouteIsLeftThatAnObserverCouldMatch()
    {
        string[] names = ["a", "b", "c", "d"];
        var sessions = names.ToDictionary(static name => name, name => MakeSession(name));
        using var enough = new CancellationTokenSource();
        var granted = 0;
        var requesting = names.Select(name => Task.Run(() =>
        {
            var random = new Random(name[0]);
            var context = new RoutingContext();
            while (!enough.IsCancellationRequested)
            {
                var target = names[random.Next(names.Length)];
                if (Request(sessions[name], name, target, context).IsOk)
                {
                    Interlocked.Increment(ref granted);
                }

                Confirm(sessions[name], context, random);
                context.SignalAll();
            }
        })).ToArray();
        var observing = Enumerable.Range(0, 3).Select(i => Task.Run(async () =>
        {
            var random = new Random(i);
            for (var round = 0; round < 300; round++)
            {
                await ObserveAsync(AnyFilter(names, random));
            }
        })).ToArray();

        await Task.WhenAll(observing).InTime();
        await TimeLimit.UntilAsync(() => Volatile.Read(ref granted) > 0);
        await enough.CancelAsync();
        await Task.WhenAll(requesting).InTime();

        foreach (var session in sessions.Values)
        {
            session.Release();
        }

        Assert.Equal((0, 0, 0), (Hub.Lanes.Lanes, Hub.Lanes.Routes, Hub.Lanes.AllRoutes));
    }

    [Fact]
    public async Task Register_WhileRoutesAreRequested_NoRouteOutlivesItsMachines()
    {
        var source = MakeSession("a");
        var target = MakeSession("b");
        using var enough = new CancellationTokenSource();
        var requesting = Task.Run(() =>
        {
            var context = new RoutingContext();
            var random = new Random(1);
            while (!enough.IsCancellationRequested)
            {
                _ = Request(source, "a", "b", context);
                Confirm(source, context, random);
                context.SignalAll();
            }
        });
        for (var round = 0; round < 2000; round++)
        {
            Assert.True(Hub.Machines.Unregister(target.Owner, "b", out var inbox).IsOk);
            Assert.NotNull(inbox);

            // From here on there is no machine that a route could lead to.
            Assert.Equal(0, Hub.Lanes.Routes);
            Confirm(target, Context, new Random(round));
            Subscribe("b", target.Owner, target.Outbox);
        }

        await enough.CancelAsync();
        await requesting.InTime();
    }

    [Fact]
    public void Observe_AgainAndAgain_WaitsForNoMoreRoutesThanTheBound()
    {
        // Before the owners are made, whose bounds are made of it.
        Options.MaxRoutes = 1;
        var source = MakeSession("a");
        var target = MakeSession("b");
        Assert.True(Request(source, "a", "b", Context).IsOk);
        var standing = new List<LiveSubscription>();
        var owner = MakeOwner("");

        Verdict verdict;
        while ((verdict = Observe()).IsOk)
        {
            Assert.True(standing.Count <= 4);
        }

        Assert.Equal(4, standing.Count);
        Assert.Contains(nameof(EventBusOptions.MaxRoutes), verdict.Message, StringComparison.Ordinal);

        // A subscription that ends waits no more, and neither does one that all targets have confirmed.
        Hub.Router.Unsubscribe(standing[0]);
        Assert.True(Observe().IsOk);
        target.Close(new RouteClosed { Route = 1 }, Context);
        Assert.True(Observe().IsOk);
        Assert.Null(standing[^1].Silence);
        Assert.Equal(0, owner.Budget.RouteWaits.Used);

        Verdict Observe()
        {
            var observed = Hub.Router.Subscribe(
                owner,
                new Subscription { Number = 1, Machine = "b" },
                new Outbox(runWriterInline: false),
                Context,
                out var live);
            if (observed.IsOk)
            {
                standing.Add(live!);
            }

            return observed;
        }
    }

    private static Subscription AnyFilter(string[] names, Random random)
    {
        var name = names[random.Next(names.Length)];
        return random.Next(5) switch
        {
            0 => new Subscription { Machine = name },
            1 => new Subscription { All = new AllEvents() },
            2 => new Subscription { Pattern = new EventPattern { Source = name } },
            3 => new Subscription { Pattern = new EventPattern { Source = name, Target = "*" } },
            _ => new Subscription { Pattern = new EventPattern { Name = "E" } },
        };
    }

    private static Verdict Request(SessionLanes session, string source, string target, RoutingContext context) =>
        session.Request(new RouteRequest { Source = source, Target = target, Sender = 1 }, context, new Outcome());

    // Confirms the withdrawals that have come, and gives some routes up.
    private static void Confirm(SessionLanes session, RoutingContext context, Random random)
    {
        var notices = new List<LaneNotice>();
        session.Notices.TakeAll(notices);
        foreach (var notice in notices)
        {
            var route = notice.Withdrawal?.Route ?? (random.Next(2) == 0 ? notice.Grant?.Route : null) ?? 0;
            session.Close(new RouteClosed { Route = route }, context);
        }
    }

    private async Task ObserveAsync(Subscription subscription)
    {
        var context = new RoutingContext();
        var owner = MakeOwner("");
        var outbox = new Outbox(runWriterInline: false);
        var verdict = Hub.Router.Subscribe(owner, subscription, outbox, context, out var live);
        Assert.True(verdict.IsOk, verdict.Message);
        context.SignalAll();
        if (live!.Silence is { } silence)
        {
            await silence.WaitAsync(TimeLimit.Value, TestContext.Current.CancellationToken);
        }

        // Nothing is left to be withdrawn, and nothing is granted, as long as the observer is there.
        AssertNothingLeft();
        await Task.Yield();
        AssertNothingLeft();
        Hub.Router.Unsubscribe(live);

        void AssertNothingLeft()
        {
            Assert.True(Hub.Lanes.WithdrawObserved(live.Observer!, context, out var left).IsOk);
            Assert.Null(left);
        }
    }

    // A session of one machine, over a connection of its own.
    private SessionLanes MakeSession(
        string machine, string user = "user", string instance = "", bool runsWriterInline = false)
    {
        var identity = user.Length == 0
            ? new ClaimsIdentity()
            : new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, user)], "test");
        var context = new DefaultHttpContext { User = new ClaimsPrincipal(identity) };
        context.Connection.Id = $"connection-{Interlocked.Increment(ref _connections)}";
        var owner = new MachineOwner(
            PeerIdentity.Of(context), new SessionBudget(Hub.Budget), instance, "test", isLease: false);
        var origin = new SessionOrigin(owner);
        var outbox = new Outbox(runsWriterInline);
        var sends = new SessionSends(Hub, owner, origin, new SessionWaits(Hub, outbox), static _ => { });
        var life = new SessionLife(Hub, owner);
        var session = new SessionLanes(Hub, owner, origin, outbox, new OutgoingNotices(), sends, life);
        session.Open(new OpenSession { TakesLanes = true, LaneAddress = machine });
        Subscribe(machine, owner, outbox);
        return session;
    }
}
