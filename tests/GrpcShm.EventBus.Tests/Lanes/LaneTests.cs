using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>Events over lanes, as programs see them: no other than through the hub.</summary>
public sealed class LaneTests : LaneTest
{
    [Fact]
    public async Task SendEventAsync_ManyEvents_ChangeToALaneInOrder()
    {
        var (sender, receiver) = (await ConnectLanesAsync(), await ConnectLanesAsync());
        await ReceiveAsync(sender, "A");
        var events = await ReceiveAsync(receiver, "X");

        var count = await SendUntilLaneAsync(sender, "A", "X");
        var sends = Enumerable.Range(count, 5_000).Select(i => sender.SendEventAsync("A", "X", Name(i))).ToArray();

        await Task.WhenAll(sends).InTime();
        await ExpectAsync(events, count + sends.Length);
        Assert.True(Meter.Events > sends.Length / 2);
        await ExpectNoMoreAsync(events, sender, "X");
        Assert.Equal(0, sender.PendingSends);
    }

    [Fact]
    public async Task SendEventAsync_WithoutLanes_GoesByTheHub()
    {
        var (sender, receiver) = (await ConnectLanesAsync(), await ConnectClientAsync());
        await ReceiveAsync(sender, "A");
        var events = await ReceiveAsync(receiver, "X");

        await Task.WhenAll(Enumerable.Range(0, 500).Select(i => sender.SendEventAsync("A", "X", Name(i)))).InTime();

        await ExpectAsync(events, 500);
        Assert.Equal(0, Meter.Events);
        Assert.Empty(Lanes.Connections);
    }

    [Fact]
    public async Task SendEventAsync_NoConnectionSucceeds_GoesByTheHub()
    {
        Lanes.Refuses = true;
        var (sender, receiver) = (await ConnectLanesAsync(), await ConnectLanesAsync());
        await ReceiveAsync(sender, "A");
        var events = await ReceiveAsync(receiver, "X");

        await Task.WhenAll(Enumerable.Range(0, 500).Select(i => sender.SendEventAsync("A", "X", Name(i)))).InTime();

        await ExpectAsync(events, 500);
        Assert.Equal(0, Meter.Events);
    }

    [Fact]
    public async Task SendEventAsync_BothDirections_UseOneLane()
    {
        var (one, other) = (await ConnectLanesAsync(), await ConnectLanesAsync());
        var back = await ReceiveAsync(one, "A");
        var there = await ReceiveAsync(other, "X");

        var thereCount = await SendUntilLaneAsync(one, "A", "X");
        var backCount = await SendUntilLaneAsync(other, "X", "A");

        await ExpectAsync(there, thereCount);
        await ExpectAsync(back, backCount);
        Assert.Equal(2, Lanes.Connections.Count);
    }

    [Fact]
    public async Task RequestAsync_OverALane_HasTheReply()
    {
        var (sender, receiver) = (await ConnectLanesAsync(), await ConnectLanesAsync());
        await ReceiveAsync(sender, "A");
        await receiver.RegisterMachineAsync("X", received =>
        {
            if (received.IsRequest)
            {
                received.Reply(null, "pong");
            }

            received.NewState = "done";
            return Task.CompletedTask;
        }).InTime();
        await SendUntilLaneAsync(sender, "A", "X");
        var before = Meter.Events;

        var reply = await sender.RequestAsync("A", "X", "ping").InTime();
        var processed = await sender.SendEventAsync(
            "A", "X", "E", null, new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed }).InTime();
        var delivered = await sender.SendEventAsync(
            "A", "X", "E", null, new EventSendOptions { Acknowledgement = AcknowledgementLevel.Delivered }).InTime();

        Assert.Equal("pong", reply.EventName);
        Assert.Equal("done", processed.NewState);
        Assert.NotNull(delivered);
        Assert.True(Meter.Events >= before + 3);
    }

    [Fact]
    public async Task RequestAsync_OverALane_FailsAsByTheHub()
    {
        var (sender, receiver) = (await ConnectLanesAsync(), await ConnectLanesAsync());
        await ReceiveAsync(sender, "A");
        await receiver.RegisterMachineAsync("X", received => received.EventName switch
        {
            "throw" => throw new InvalidOperationException("It broke."),
            "wait" => Task.Delay(Timeout.Infinite),
            _ => Task.CompletedTask,
        }).InTime();
        await SendUntilLaneAsync(sender, "A", "X");

        var thrown = await FailsAsync(sender.RequestAsync("A", "X", "throw"), StatusCode.Unknown);
        var silent = await FailsAsync(sender.RequestAsync("A", "X", "no reply"), StatusCode.Internal);
        var late = await FailsAsync(
            sender.RequestAsync("A", "X", "wait", null, TimeSpan.FromMilliseconds(50)), StatusCode.DeadlineExceeded);

        Assert.Contains("It broke.", thrown.Message, StringComparison.Ordinal);
        Assert.Equal("X", silent.MachineId);
        Assert.Equal("X", late.MachineId);
        Assert.Equal(0, sender.PendingSends);
    }

    [Fact]
    public async Task ObserveAsync_WhileALaneIsOpen_SeesAllLaterEvents()
    {
        var (sender, receiver, watcher) = (
            await ConnectLanesAsync(), await ConnectLanesAsync(), await ConnectClientAsync());
        await ReceiveAsync(sender, "A");
        var events = await ReceiveAsync(receiver, "X");
        var count = await SendUntilLaneAsync(sender, "A", "X");
        var seen = System.Threading.Channels.Channel.CreateUnbounded<BusEvent>();

        await watcher.SubscribeToMachineAsync(
            "X",
            received => seen.Writer.WriteAsync(received).AsTask(),
            new MachineOptions { OverflowPolicy = OverflowPolicy.Grow }).InTime();
        var sends = Enumerable.Range(count, 500).Select(i => sender.SendEventAsync("A", "X", Name(i))).ToArray();

        await Task.WhenAll(sends).InTime();
        await ExpectAsync(events, count + 500);
        var first = await seen.Reader.ReadAsync().AsTask().InTime();
        var number = int.Parse(first.EventName, System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(number <= count, $"The first event was {number} of {count}.");
        await ExpectAsync(seen.Reader, count + 500 - number - 1, number + 1);
    }

    [Fact]
    public async Task PublishAsync_BetweenSendsOverALane_KeepsItsPlace()
    {
        var (sender, receiver) = (await ConnectLanesAsync(), await ConnectLanesAsync());
        await ReceiveAsync(sender, "A");
        var events = await ReceiveAsync(receiver, "X");
        var next = await SendUntilLaneAsync(sender, "A", "X");

        for (var round = 0; round < 20; round++)
        {
            for (var i = 0; i < 10; i++)
            {
                _ = sender.SendEventAsync("A", "X", Name(next++));
            }

            _ = sender.PublishAsync(
                Name(next++), null, new EventPublishOptions { SourceMachineId = "A", ExcludeSource = true });
            next += await SendUntilLaneAsync(sender, "A", "X", next);
        }

        await ExpectAsync(events, next);
    }

    [Fact]
    public async Task SendEventAsync_LaneBreaksAgainAndAgain_NothingIsLostOrDoubled()
    {
        var (sender, receiver) = (await ConnectLanesAsync(), await ConnectLanesAsync());
        await ReceiveAsync(sender, "A");
        var events = await ReceiveAsync(receiver, "X");
        var next = 0;
        var sends = new List<Task>();

        for (var round = 0; round < 10; round++)
        {
            next += await SendUntilLaneAsync(sender, "A", "X", next, connections: round + 1);
            for (var i = 0; i < 300; i++)
            {
                sends.Add(sender.SendEventAsync("A", "X", Name(next++)));
                if (i == 150)
                {
                    await Lanes.Connections.Last().DisposeAsync();
                }
            }
        }

        await Task.WhenAll(sends).InTime();
        await ExpectAsync(events, next);
        await ExpectNoMoreAsync(events, sender, "X");
        Assert.True(Log.Stood >= 20);
    }

    [Fact]
    public async Task RequestAsync_LaneBreaksBeforeTheReply_FailsAsWithALostConnection()
    {
        var (sender, receiver) = (await ConnectLanesAsync(), await ConnectLanesAsync());
        await ReceiveAsync(sender, "A");
        var begun = new TaskCompletionSource();
        await receiver.RegisterMachineAsync("X", received =>
        {
            if (received.IsRequest)
            {
                begun.SetResult();
                return Task.Delay(Timeout.Infinite);
            }

            return Task.CompletedTask;
        }).InTime();
        await SendUntilLaneAsync(sender, "A", "X");

        var request = sender.RequestAsync("A", "X", "ping");
        await begun.Task.InTime();
        await Lanes.Connections.Last().DisposeAsync();

        var failure = await FailsAsync(request, StatusCode.Unavailable);
        Assert.Contains("may have been handled", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SendEventAsync_HandlerIsHeldBack_EventsWaitAndAllArrive()
    {
        var (sender, receiver) = (
            await ConnectLanesAsync(), await ConnectLanesAsync(options => options.ReceiveWindow = 16));
        await ReceiveAsync(sender, "A");
        var gate = new TaskCompletionSource();
        var events = System.Threading.Channels.Channel.CreateUnbounded<BusEvent>();
        await receiver.RegisterMachineAsync("X", async received =>
        {
            if (received.EventName == "hold")
            {
                await gate.Task;
            }
            else
            {
                await events.Writer.WriteAsync(received);
            }
        }).InTime();
        var count = await SendUntilLaneAsync(sender, "A", "X");
        _ = sender.SendEventAsync("A", "X", "hold");

        var sends = Enumerable.Range(count, 400).Select(i => sender.SendEventAsync("A", "X", Name(i))).ToArray();
        await Task.WhenAll(sends).InTime();
        gate.SetResult();

        await ExpectAsync(events.Reader, count + 400);
    }

    [Fact]
    public async Task DisposeAsync_EventsAreOnTheirWay_AllArrive()
    {
        var receiver = await ConnectLanesAsync();
        var events = await ReceiveAsync(receiver, "X");
        var sender = await ConnectLanesAsync();
        await ReceiveAsync(sender, "A");
        var count = await SendUntilLaneAsync(sender, "A", "X");

        var sends = Enumerable.Range(count, 1_000).Select(i => sender.SendEventAsync("A", "X", Name(i))).ToArray();
        await sender.DisposeAsync().InTime();

        await Task.WhenAll(sends).InTime();
        await ExpectAsync(events, count + 1_000);
    }

    [Fact]
    public async Task SendEventAsync_HandlersWaitForEachOtherOverALane_OneFailsByTheCircle()
    {
        var (one, other) = (await ConnectLanesAsync(), await ConnectLanesAsync());
        var waiting = new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed };
        var failures = System.Threading.Channels.Channel.CreateUnbounded<EventBusException?>();
        await one.RegisterMachineAsync("A", received => received.EventName == "begin"
            ? SendAsync(one, "A", "X", "ask") : Task.CompletedTask).InTime();
        await other.RegisterMachineAsync("X", received => received.EventName == "ask"
            ? SendAsync(other, "X", "A", "answer") : Task.CompletedTask).InTime();
        await SendUntilLaneAsync(one, "A", "X");
        await SendUntilLaneAsync(other, "X", "A");

        await one.SendEventAsync("A", "A", "begin", null, waiting).InTime();

        // Whichever of the two the hub heard of last.
        EventBusException?[] ends =
        [
            await failures.Reader.ReadAsync().AsTask().InTime(), await failures.Reader.ReadAsync().AsTask().InTime(),
        ];
        var refused = Assert.Single(ends.OfType<EventBusException>());
        Assert.Equal(StatusCode.FailedPrecondition, refused.StatusCode);
        Assert.Contains("circle", refused.Message, StringComparison.Ordinal);

        async Task SendAsync(EventClient client, string source, string target, string name)
        {
            try
            {
                await client.SendEventAsync(source, target, name, null, waiting);
                failures.Writer.TryWrite(null);
            }
            catch (EventBusException exception)
            {
                failures.Writer.TryWrite(exception);
            }
        }
    }

    [Fact]
    public async Task Lane_NobodyUsesItForLong_EndsAndComesAgain()
    {
        var (sender, receiver) = (
            await ConnectLanesAsync(options => options.LaneTimes = Times with { Idle = 50 }),
            await ConnectLanesAsync(options => options.LaneTimes = Times with { Idle = 50 }));
        await ReceiveAsync(sender, "A");
        var events = await ReceiveAsync(receiver, "X");
        var count = await SendUntilLaneAsync(sender, "A", "X");

        await TimeLimit.UntilAsync(() => Lanes.Closed == 2);
        count += await SendUntilLaneAsync(sender, "A", "X", count, connections: 2);

        await ExpectAsync(events, count);
        Assert.Equal(4, Lanes.Connections.Count);
    }

    [Fact]
    public async Task UnregisterAsync_OfTheTarget_LaterSendsAreRefused()
    {
        var (sender, receiver) = (await ConnectLanesAsync(), await ConnectLanesAsync());
        await ReceiveAsync(sender, "A");
        var machine = await receiver.RegisterMachineAsync("X", static _ => Task.CompletedTask).InTime();
        await SendUntilLaneAsync(sender, "A", "X");

        machine.Dispose();

        await TimeLimit.UntilAsync(async () =>
        {
            var sending = sender.SendEventAsync("A", "X", "E");
            await ((Task)sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return sending.IsFaulted;
        });
        await FailsAsync(sender.SendEventAsync("A", "X", "E"), StatusCode.NotFound);
    }

    [Fact]
    public async Task RequestAsync_MachinesAskEachOtherInTurn_NoCircleIsFound()
    {
        var (one, other) = (await ConnectLanesAsync(), await ConnectLanesAsync());
        var turns = System.Threading.Channels.Channel.CreateUnbounded<Task<BusEvent>>();
        await one.RegisterMachineAsync("A", async received =>
        {
            if (received.EventName == "begin")
            {
                await AskAsync(one, "A", "X");
            }
            else if (received.IsRequest)
            {
                received.Reply(null, "pong");
            }
        }).InTime();
        await other.RegisterMachineAsync("X", async received =>
        {
            if (received.EventName == "next")
            {
                await AskAsync(other, "X", "A");
            }
            else if (received.IsRequest)
            {
                // Its next event is there before the answer. So it asks A as soon as A has it.
                await other.SendEventAsync("X", "X", "next");
                received.Reply(null, "pong");
            }
        }).InTime();
        await SendUntilLaneAsync(one, "A", "X");
        await SendUntilLaneAsync(other, "X", "A");

        for (var round = 0; round < 200; round++)
        {
            await one.SendEventAsync("someone", "A", "begin").InTime();
            var asked = await turns.Reader.ReadAsync().AsTask().InTime();
            var askedBack = await turns.Reader.ReadAsync().AsTask().InTime();

            Assert.Equal("pong", (await asked.InTime()).EventName);
            Assert.Equal("pong", (await askedBack.InTime()).EventName);
        }

        async Task AskAsync(EventClient client, string source, string target)
        {
            var asking = client.RequestAsync(source, target, "ping");
            turns.Writer.TryWrite(asking);
            await ((Task)asking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
