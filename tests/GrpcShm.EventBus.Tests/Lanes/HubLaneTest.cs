using Grpc.Core;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Service;
using GrpcShm.EventBus.TestProcess;
using Microsoft.Extensions.DependencyInjection;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>A test of the hub's part in lanes. All clients are in this process, and hide nothing.</summary>
public abstract class HubLaneTest : HubTest
{
    private protected const string LaneAddress = "here";

    /// <summary>The hub's lanes and routes.</summary>
    internal HubLanes Table => Hub.Lanes;

    internal HubCore Hub => Server.Services.GetRequiredService<HubCore>();

    protected override void Configure(EventBusOptions options) => options.GrantsRoutesWithinProcess = true;

    /// <summary>Opens a session that takes lanes.</summary>
    internal async Task<SessionClient> OpenLanesAsync(string address = LaneAddress)
    {
        var session = OpenSession();
        await OpenAsync(session, address);
        return session;
    }

    /// <summary>Opens a session that takes lanes, and is subscribed, by number 1, to a machine's inbox.</summary>
    internal async Task<SessionClient> OpenMachineWithLanesAsync(
        string machineId, string address = LaneAddress, uint credit = 100, MailboxSettings? mailbox = null)
    {
        var session = await OpenLanesAsync(address);
        await SubscribeAsync(session, new Subscription
        {
            Number = 1, Inbox = machineId, Credit = credit, StartsWithoutCredit = credit == 0, Mailbox = mailbox,
        });
        return session;
    }

    internal static async Task OpenAsync(SessionClient session, string address, string name = "")
    {
        var opened = await session.ExecuteAsync(new SessionCommand
        {
            Open = new OpenSession { TakesLanes = true, LaneAddress = address, Name = name },
        }).InTime();
        Assert.Equal("", opened.Message);
    }

    internal static async Task<Outcome> RequestAsync(
        SessionClient session, string source = "a", string target = "b", ulong sender = 7) =>
        await session.ExecuteAsync(new SessionCommand
        {
            RequestRoute = new RouteRequest { Source = source, Target = target, Sender = sender },
        }).InTime();

    /// <summary>Gets a route granted, and gives the grant as the source's process sees it.</summary>
    internal static async Task<RouteGrant> GrantAsync(SessionClient session, string source = "a", string target = "b")
    {
        var outcome = await RequestAsync(session, source, target);
        Assert.Equal("", outcome.Message);
        RouteGrant grant;
        do
        {
            grant = await NextGrantAsync(session);
        }
        while (grant.IsTarget);
        return grant;
    }

    internal static async Task<RouteGrant> NextGrantAsync(SessionClient session)
    {
        while (true)
        {
            if ((await session.Notices.ReadAsync().InTime()).Grant is { } grant)
            {
                return grant;
            }
        }
    }

    internal static async Task<RouteWithdrawal> NextWithdrawalAsync(SessionClient session)
    {
        while (true)
        {
            if ((await session.Notices.ReadAsync().InTime()).Withdrawal is { } withdrawal)
            {
                return withdrawal;
            }
        }
    }

    internal static async Task<Outcome> CloseAsync(SessionClient session, uint route, ulong events = 0) =>
        await session.ExecuteAsync(new SessionCommand
        {
            CloseRoute = new RouteClosed { Route = route, Events = events },
        }).InTime();

    internal static Task<Outcome> FenceAsync(SessionClient session, uint route, uint timeout = 0) =>
        session.ExecuteAsync(new SessionCommand
        {
            Fence = new RouteFence { Route = route }, TimeoutMilliseconds = timeout,
        });

    internal static async Task AcknowledgeAsync(SessionClient session, Delivery delivery, StatusCode code = default) =>
        await session.SendAsync(new SessionCommand
        {
            Acknowledge = new Acknowledgement
            {
                Subscription = delivery.Subscription, Number = delivery.Number, StatusCode = (int)code,
            },
        }).InTime();

    internal static SessionCommand GrantCredit(uint deliveries) =>
        new() { Grant = new Credit { Subscription = 1, Deliveries = deliveries } };

    internal static SessionCommand SendTo(string target, string source = "a", uint version = 0) =>
        new() { Send = new Event { Name = "E", Source = source, Target = target, Version = version, Sender = 7 } };

    /// <summary>Begins to subscribe. The task gives the outcome.</summary>
    internal static Task<Outcome> ObserveAsync(SessionClient session, Subscription subscription)
    {
        var command = new SessionCommand { Subscribe = subscription.Clone() };
        command.Subscribe.Number = subscription.Number == 0 ? 9 : subscription.Number;
        return session.ExecuteAsync(command);
    }

    /// <summary>Waits until the hub has answered a command that comes after all commands so far.</summary>
    internal static async Task PassAsync(SessionClient session)
    {
        // It is refused, so it has an outcome of its own, which waits for no other command.
        var outcome = await session.ExecuteAsync(new SessionCommand { Unsubscribe = uint.MaxValue }).InTime();
        Assert.Equal((int)StatusCode.NotFound, outcome.StatusCode);
    }

    internal static void AssertRefused(StatusCode code, bool mayAskAgain, Outcome outcome)
    {
        Assert.Equal((code, mayAskAgain), ((StatusCode)outcome.StatusCode, outcome.MayAskAgain));
        Assert.NotEqual("", outcome.Message);
    }
}
