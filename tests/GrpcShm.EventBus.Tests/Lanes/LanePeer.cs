using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>
/// A process with a machine "P" that has a lane to the machine "X" of a client, with nothing hidden: it writes what it
/// is told to.
/// </summary>
internal sealed class LanePeer(SessionClient session, PipeLanes lanes) : IAsyncDisposable
{
    private RouteGrant _grant = new();

    public async Task OpenAsync()
    {
        await ExecuteAsync(new SessionCommand
        {
            Open = new OpenSession { InstanceId = Guid.NewGuid().ToString("N"), TakesLanes = true },
        });
        await ExecuteAsync(new SessionCommand { Subscribe = new Subscription { Number = 1, Inbox = "P" } });
    }

    /// <summary>Asks for a route, and is introduced.</summary>
    public async Task<LaneIntroduction> AskAsync()
    {
        await ExecuteAsync(new SessionCommand
        {
            RequestRoute = new RouteRequest { Source = "P", Target = "X", Sender = 5 },
        });
        var introduction = (await session.Notices.ReadAsync().AsTask().InTime()).Introduction;
        _grant = (await session.Notices.ReadAsync().AsTask().InTime()).Grant;
        return introduction;
    }

    /// <summary>Connects as the hub has introduced it, and gets credit.</summary>
    public async Task<(EventLaneConnection Lane, RouteGrant Grant, uint Credit)> GreetAsync(
        LaneIntroduction introduction)
    {
        var lane = await lanes.ConnectAsync(introduction.Address, CancellationToken.None);
        await WriteAsync(lane, new LaneFrame
        {
            Hello = new LaneHello { Lane = introduction.Lane, Token = introduction.Token, Version = 1 },
        });
        Assert.Equal(1u, (await ReadAsync(lane, static _ => true)).Welcome.Version);
        await ExecuteAsync(new SessionCommand { Fence = new RouteFence { Route = _grant.Route } });
        var credits = (await ReadAsync(lane, static frame => frame.Credits.Count > 0)).Credits;
        return (lane, _grant, Assert.Single(credits).Deliveries);
    }

    public async Task<(EventLaneConnection Lane, RouteGrant Grant, uint Credit)> ConnectAsync() =>
        await GreetAsync(await AskAsync());

    /// <summary>Lets the client have a route to "P", for which it has asked, and gives it credit.</summary>
    public async Task<EventLaneConnection> TakeRouteAsync(uint credit)
    {
        LaneIntroduction? introduction = null;
        RouteGrant? grant = null;
        while (grant is null)
        {
            var notice = await session.Notices.ReadAsync().AsTask().InTime();
            (introduction, grant) = (notice.Introduction ?? introduction, notice.Grant);
        }

        var lane = await lanes.ConnectAsync(introduction!.Address, CancellationToken.None);
        await WriteAsync(lane, new LaneFrame
        {
            Hello = new LaneHello { Lane = introduction.Lane, Token = introduction.Token, Version = 1 },
        });
        await ReadAsync(lane, static frame => frame.Welcome is not null);
        Delivery fence;
        do
        {
            fence = await session.Deliveries.ReadAsync().AsTask().InTime();
        }
        while (fence.Fence == 0);
        await session.SendAsync(new SessionCommand
        {
            Acknowledge = new Acknowledgement { Subscription = fence.Subscription, Number = fence.Number },
        });
        await WriteAsync(lane, new LaneFrame
        {
            Credits = { new Credit { Subscription = grant.Route, Deliveries = credit } },
        });
        return lane;
    }

    /// <summary>Makes an event as it has to be.</summary>
    public Delivery NewDelivery(ulong number) => new()
    {
        Subscription = _grant.Route,
        Number = number,
        Acknowledgement = AcknowledgementLevel.Accepted,
        Event = new Event { Name = "E", Source = "P", Target = "X", Sender = _grant.Sender, Sequence = number },
    };

    public static async Task WriteAsync(EventLaneConnection lane, LaneFrame frame)
    {
        using var stream = new MemoryStream();
        frame.WriteDelimitedTo(stream);
        await lane.Output.WriteAsync(stream.ToArray());
    }

    /// <summary>Breaks a rule.</summary>
    public async Task BreakRuleAsync(EventLaneConnection lane, string fault, RouteGrant grant, uint credit)
    {
        var wrong = NewDelivery(1);
        switch (fault)
        {
            case "frame without a length":
                await lane.Output.WriteAsync(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF });
                break;
            case "frame that is too large":
                await lane.Output.WriteAsync(new byte[] { 0xFF, 0xFF, 0xFF, 0x7F });
                break;
            case "malformed frame":
                await lane.Output.WriteAsync(new byte[] { 3, 0x12, 0x7F, 0 });
                break;
            case "second greeting":
                await WriteAsync(lane, new LaneFrame { Hello = new LaneHello { Version = 1 } });
                break;
            case "delivery out of turn":
                wrong.Number = 2;
                await WriteAsync(lane, new LaneFrame { Deliveries = { wrong } });
                break;
            case "event of another source":
                wrong.Event.Source = "Q";
                await WriteAsync(lane, new LaneFrame { Deliveries = { wrong } });
                break;
            case "event of another sender":
                wrong.Event.Sender = grant.Sender + 1;
                await WriteAsync(lane, new LaneFrame { Deliveries = { wrong } });
                break;
            case "event without credit":
                var deliveries = Enumerable.Range(1, (int)credit * 4).Select(number => NewDelivery((ulong)number));
                await WriteAsync(lane, new LaneFrame { Deliveries = { deliveries } });
                break;
            case "answer to nothing":
                await WriteAsync(lane, new LaneFrame { Outcomes = { new LaneOutcome { Number = 9 } } });
                break;
            case "acceptance of nothing":
                await WriteAsync(lane, new LaneFrame { AcceptedThrough = 9 });
                break;
            case "delivery without an event":
                wrong.Event = null;
                await WriteAsync(lane, new LaneFrame { Deliveries = { wrong } });
                break;
            case "answers that are not read":
                await FloodAsync(lane);
                break;
            default:
                Assert.Fail($"There is no fault '{fault}'.");
                break;
        }
    }

    // Deliveries of a route that does not exist: each is answered, and none needs credit.
    private async Task FloodAsync(EventLaneConnection lane)
    {
        const int inFrame = 1_000;
        for (var first = 1UL; first < 200_000; first += inFrame)
        {
            var frame = new LaneFrame();
            for (var number = first; number < first + inFrame; number++)
            {
                var unknown = NewDelivery(number);
                unknown.Subscription = uint.MaxValue;
                frame.Deliveries.Add(unknown);
            }

            using var stream = new MemoryStream();
            frame.WriteDelimitedTo(stream);
            if ((await lane.Output.WriteAsync(stream.ToArray())).IsCompleted)
            {
                return;
            }
        }
    }

    /// <summary>Reads the next frame of which something is true.</summary>
    public static async Task<LaneFrame> ReadAsync(EventLaneConnection lane, Func<LaneFrame, bool> isWanted)
    {
        while (true)
        {
            var result = await lane.Input.ReadAsync().AsTask().InTime();
            var rest = result.Buffer;
            while (LaneFrames.TryTake(ref rest, 1 << 20, out var bytes))
            {
                var frame = LaneFrame.Parser.ParseFrom(bytes.ToArray());
                if (isWanted(frame))
                {
                    lane.Input.AdvanceTo(rest.Start);
                    return frame;
                }
            }

            lane.Input.AdvanceTo(rest.Start, rest.End);
            Assert.False(result.IsCompleted, "The lane ended.");
        }
    }

    /// <summary>Waits for the end of the connection.</summary>
    public static async Task<bool> EndsAsync(EventLaneConnection lane)
    {
        while (true)
        {
            var result = await lane.Input.ReadAsync().AsTask().InTime();
            lane.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return true;
            }
        }
    }

    public ValueTask DisposeAsync() => session.DisposeAsync();

    private async Task ExecuteAsync(SessionCommand command)
    {
        var outcome = await session.ExecuteAsync(command).InTime();
        Assert.Equal((int)StatusCode.OK, outcome.StatusCode);
    }
}
