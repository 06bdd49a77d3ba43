using System.Threading.Channels;
using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

public sealed class SubscriptionTests : ClientTest
{
    [Fact]
    public async Task Subscribe_MachineOfAnotherClient_IsAlreadyExists()
    {
        var first = await ConnectClientAsync();
        var second = await ConnectClientAsync();
        await ReceiveAsync(first, "m");

        var exception = await FailsAsync(second.SubscribeAsync("m", _ => Task.CompletedTask), StatusCode.AlreadyExists);

        Assert.Equal("m", exception.MachineId);
    }

    [Fact]
    public async Task Subscribe_TwoHandlers_BothGetTheEventAndTheLastOneUnregisters()
    {
        var client = await ConnectClientAsync();
        var handled = Channel.CreateUnbounded<int>();
        var first = await client.SubscribeAsync("m", _ => handled.Writer.WriteAsync(1).AsTask()).InTime();
        var second = await client.SubscribeAsync("m", _ => handled.Writer.WriteAsync(2).AsTask()).InTime();

        await client.SendEventAsync("s", "m", "E").InTime();
        Assert.Equal(1, await handled.Reader.ReadAsync().InTime());
        Assert.Equal(2, await handled.Reader.ReadAsync().InTime());
        first.Dispose();
        await client.SendEventAsync("s", "m", "E").InTime();
        Assert.Equal(2, await handled.Reader.ReadAsync().InTime());
        second.Dispose();

        await FailsAsync(client.SendEventAsync("s", "m", "E"), StatusCode.NotFound);
    }

    [Fact]
    public async Task Subscribe_AfterUnsubscribe_WorksAgain()
    {
        var client = await ConnectClientAsync();
        var other = await ConnectClientAsync();
        for (var i = 0; i < 50; i++)
        {
            var events = Channel.CreateUnbounded<string>();
            var subscription =
                await client.SubscribeAsync("m", e => events.Writer.WriteAsync(e.EventName).AsTask()).InTime();
            await other.SendEventAsync("s", "m", $"{i}").InTime();
            Assert.Equal($"{i}", await events.Reader.ReadAsync().InTime());
            subscription.Dispose();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Observers_OfWhatIsSent_GetCopies(bool sameClient)
    {
        var client = await ConnectClientAsync();
        var sender = sameClient ? client : await ConnectClientAsync();
        await ReceiveAsync(client, "robot-1");
        var observed = Channel.CreateUnbounded<string>();
        Func<BusEvent, Task> Observe(string name) => e => observed.Writer.WriteAsync($"{name} {e.EventName}").AsTask();
        await client.SubscribeToAllAsync(Observe("all")).InTime();
        await client.SubscribeToMachineAsync("robot-1", Observe("machine")).InTime();
        await client.SubscribeToPatternAsync(
            new EventPattern { Target = "robot-?", Name = "MO*" }, Observe("pattern")).InTime();
        await client.SubscribeToPatternAsync(new EventPattern { Target = "other-*" }, Observe("never")).InTime();

        await sender.SendEventAsync("s", "robot-1", "MOVE").InTime();

        string[] expected = ["all MOVE", "machine MOVE", "pattern MOVE"];
        var received = new[]
        {
            await observed.Reader.ReadAsync().InTime(),
            await observed.Reader.ReadAsync().InTime(),
            await observed.Reader.ReadAsync().InTime(),
        };
        Assert.Equal(expected, received.Order());
    }

    [Fact]
    public async Task Publish_ToAllGroupAndPattern_ReachesTheRightMachines()
    {
        var client = await ConnectClientAsync();
        var publisher = await ConnectClientAsync();
        var robot = await ReceiveAsync(client, "robot", new MachineOptions { Groups = ["movers"] });
        var oven = await ReceiveAsync(client, "oven");

        await publisher.PublishAsync("ALL").InTime();
        Assert.Equal(
            1, await publisher.PublishAsync("GROUP", null, new EventPublishOptions { Group = "movers" }).InTime());
        var byPattern = new EventPublishOptions { MachinePattern = "ov*" };
        Assert.Equal(1, await publisher.PublishAsync("PATTERN", null, byPattern).InTime());

        Assert.Equal("ALL", (await robot.ReadAsync().InTime()).EventName);
        Assert.Equal("GROUP", (await robot.ReadAsync().InTime()).EventName);
        Assert.Equal("ALL", (await oven.ReadAsync().InTime()).EventName);
        Assert.Equal("PATTERN", (await oven.ReadAsync().InTime()).EventName);
    }

    [Fact]
    public async Task PublishStateChange_Subscribed_ComesWithAllItsParts()
    {
        var client = await ConnectClientAsync();
        var publisher = await ConnectClientAsync();
        var changes = Channel.CreateUnbounded<BusEvent>();
        await client.SubscribeToStateChangesAsync("rob*", e => changes.Writer.WriteAsync(e).AsTask()).InTime();

        await publisher.PublishStateChangeAsync("robot", new MachineStateChange
        {
            OldState = "idle", NewState = "moving", Transition = "MOVE", Context = "42", Duration = TimeSpan.FromTicks(
                12345),
        }).InTime();

        var received = await changes.Reader.ReadAsync().InTime();
        Assert.Equal("robot", received.SourceMachineId);
        Assert.Equal("idle", received.StateChange!.OldState);
        Assert.Equal("moving", received.StateChange.NewState);
        Assert.Equal("MOVE", received.StateChange.Transition);
        Assert.Equal("42", received.StateChange.Context!.ToString());
        Assert.Equal(TimeSpan.FromTicks(12345), received.StateChange.Duration);
    }

    [Theory]
    [InlineData(OverflowPolicy.DropOldest, true)]
    [InlineData(OverflowPolicy.DropOldest, false)]
    [InlineData(OverflowPolicy.DropNewest, true)]
    [InlineData(OverflowPolicy.DropNewest, false)]
    public async Task Policy_Drops_ReportsTheLossAndKeepsTheOrder(OverflowPolicy policy, bool sameClient)
    {
        const int count = 500;
        var client = await ConnectClientAsync();
        var sender = sameClient ? client : await ConnectClientAsync();
        var release = new TaskCompletionSource();
        var lost = new TaskCompletionSource();
        client.EventsLost += (_, _) => lost.TrySetResult();
        var handled = Channel.CreateUnbounded<int>();
        await client.RegisterMachineAsync("m", async received =>
        {
            await release.Task;
            await handled.Writer.WriteAsync(received.Version);
        }, new MachineOptions { MailboxCapacity = 10, OverflowPolicy = policy }).InTime();

        for (var i = 0; i < count; i++)
        {
            await sender.SendEventAsync("s", "m", "E", null, new EventSendOptions { Version = i }).InTime();
        }

        release.SetResult();
        await lost.Task.InTime();
        if (policy == OverflowPolicy.DropNewest)
        {
            // The newest was dropped; this one comes when there is room again.
            var options = new EventSendOptions { Version = count, Acknowledgement = AcknowledgementLevel.Processed };
            while (await IsDroppedAsync(sender.SendEventAsync("s", "m", "E", null, options)))
            {
            }
        }

        var last = -1;
        var received = 0;
        var end = policy == OverflowPolicy.DropOldest ? count - 1 : count;
        while (last != end)
        {
            var number = await handled.Reader.ReadAsync().InTime();
            Assert.True(number > last);
            last = number;
            received++;
        }

        Assert.InRange(received, 10, 40);
    }

    [Theory]
    [InlineData("", StatusCode.InvalidArgument)]
    [InlineData("long", StatusCode.InvalidArgument)]
    public async Task Subscribe_BadId_IsInvalidAndTheClientGoesOn(string id, StatusCode expected)
    {
        var client = await ConnectClientAsync();
        var bad = id.Length == 0 ? id : new string('x', 64 * 1024);

        await FailsAsync(client.SubscribeAsync(bad, _ => Task.CompletedTask), expected);
        await FailsAsync(client.SendEventAsync("s", bad, "E"), expected);
        await FailsAsync(client.SendEventAsync("s", "m", ""), expected);

        var events = await ReceiveAsync(client, "m");
        await client.SendEventAsync("s", "m", "E").InTime();
        Assert.Equal("E", (await events.ReadAsync().InTime()).EventName);
    }

    [Fact]
    public async Task Deliver_PayloadThatIsNoJson_FailsTheHandlerThatReadsIt()
    {
        var client = await ConnectClientAsync();
        var failed = new TaskCompletionSource<EventHandlerFailure>();
        client.HandlerFailed += (_, failure) => failed.TrySetResult(failure);
        var handled = new TaskCompletionSource();
        await client.RegisterMachineAsync("m", received =>
        {
            _ = received.Payload;
            handled.TrySetResult();
            return Task.CompletedTask;
        }).InTime();
        var odd = new EncodedPayload(
            Google.Protobuf.ByteString.CopyFromUtf8("{ no json"), "application/json", "System.String");

        await client.SendEventAsync("s", "m", "ODD", odd).InTime();
        await client.SendEventAsync("s", "m", "GOOD", "text").InTime();

        Assert.IsType<FormatException>((await failed.Task.InTime()).Exception);
        await handled.Task.InTime();
    }

    private static async Task<bool> IsDroppedAsync(Task send)
    {
        try
        {
            await send.InTime();
            return false;
        }
        catch (EventBusException exception) when (exception.StatusCode == StatusCode.Aborted)
        {
            return true;
        }
    }
}
