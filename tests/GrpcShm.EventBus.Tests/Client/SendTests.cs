using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

public sealed class SendTests : ClientTest
{
    [Fact]
    public async Task Request_ManyLargeRepliesAtOnce_AllComeAndNobodyGoesAway()
    {
        const int many = 30;
        var asked = 0;
        var all = new TaskCompletionSource();
        var responder = await ConnectClientAsync();
        await responder.SubscribeAsync("m", async @event =>
        {
            // Each answer is ready before the first one is written.
            @event.Reply(new byte[900_000]);
            if (++asked == many)
            {
                all.SetResult();
            }

            await Task.CompletedTask;
        }).InTime();
        var asker = await ConnectClientAsync();

        var replies =
            await Task.WhenAll(Enumerable.Range(0, many).Select(_ => asker.RequestAsync("a", "m", "ASK"))).InTime();

        await all.Task.InTime();
        Assert.All(replies, reply => Assert.Equal(900_000, ((byte[])reply.Payload!).Length));
        Assert.Equal(EventBusConnectionState.Connected, responder.State);
    }

    [Fact]
    public async Task Request_ReplyLargerThanTheHubTakes_FailsAloneByTheNameOfTheLimit()
    {
        var responder = await ConnectClientAsync();
        await responder.SubscribeAsync("m", @event =>
        {
            @event.Reply(new byte[@event.EventName == "LARGE" ? 4 * 1024 * 1024 : 10]);
            return Task.CompletedTask;
        }).InTime();
        var asker = await ConnectClientAsync();

        var large = asker.RequestAsync("a", "m", "LARGE");
        var small = asker.RequestAsync("a", "m", "SMALL");

        var failure = await Assert.ThrowsAsync<EventBusException>(() => large.InTime());
        Assert.Equal(StatusCode.Internal, failure.StatusCode);
        Assert.Contains("MaxEventSize", failure.Message, StringComparison.Ordinal);
        Assert.Equal(10, ((byte[])(await small.InTime()).Payload!).Length);
        Assert.Equal(EventBusConnectionState.Connected, responder.State);
    }

    [Fact]
    public async Task SendEvent_ToAnotherClient_ArrivesAsItWasSent()
    {
        var sender = await ConnectClientAsync();
        var receiver = await ConnectClientAsync();
        var events = await ReceiveAsync(receiver, "m");
        var before = DateTime.UtcNow;

        await sender.SendEventAsync("s", "m", "START", new byte[] { 1, 2 }).InTime();

        var received = await events.ReadAsync().InTime();
        Assert.Equal("s", received.SourceMachineId);
        Assert.Equal("m", received.TargetMachineId);
        Assert.Equal("START", received.EventName);
        Assert.Equal([1, 2], Assert.IsType<byte[]>(received.Payload));
        Assert.InRange(received.Timestamp, before, DateTime.UtcNow);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SendEvent_ManyWithoutAwaiting_ArriveInOrder(bool sameClient)
    {
        const int count = 20_000;
        var receiver = await ConnectClientAsync();
        var sender = sameClient ? receiver : await ConnectClientAsync();
        var events = await ReceiveAsync(receiver, "m");

        var sends = new Task[count];
        for (var i = 0; i < count; i++)
        {
            sends[i] = sender.SendEventAsync("s", "m", $"{i}");
        }

        for (var i = 0; i < count; i++)
        {
            Assert.Equal($"{i}", (await events.ReadAsync().InTime()).EventName);
        }

        await Task.WhenAll(sends).InTime();
        Assert.Equal(0, sender.PendingSends);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SendEvent_ToItselfFromItsHandler_IsHandledNext(bool deliverLocally)
    {
        var client = await ConnectClientAsync(options => options.DeliverLocally = deliverLocally);
        var done = new TaskCompletionSource();
        await client.RegisterMachineAsync("m", async received =>
        {
            if (received.EventName == "FIRST")
            {
                await client.SendEventAsync("m", "m", "SECOND");
            }
            else
            {
                done.SetResult();
            }
        }).InTime();

        await client.SendEventAsync("s", "m", "FIRST").InTime();

        await done.Task.InTime();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SendEvent_Processed_GivesTheNewState(bool sameClient)
    {
        var receiver = await ConnectClientAsync();
        var sender = sameClient ? receiver : await ConnectClientAsync();
        await receiver.RegisterMachineAsync("m", received =>
        {
            received.NewState = "running";
            return Task.CompletedTask;
        }).InTime();

        var result = await sender.SendEventAsync(
            "s", "m", "START", null, new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed })
            .InTime();

        Assert.Equal("running", result.NewState);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SendEvent_ProcessedByAHandlerThatThrows_FailsAndTheMachineGoesOn(bool sameClient)
    {
        var receiver = await ConnectClientAsync();
        var sender = sameClient ? receiver : await ConnectClientAsync();
        var failed = new TaskCompletionSource<EventHandlerFailure>();
        receiver.HandlerFailed += (_, failure) => failed.TrySetResult(failure);
        await receiver.RegisterMachineAsync("m", received =>
            received.EventName == "BAD" ? throw new InvalidOperationException("broken") : Task.CompletedTask).InTime();
        var options = new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed };

        var exception = await FailsAsync(sender.SendEventAsync("s", "m", "BAD", null, options), StatusCode.Unknown);
        await sender.SendEventAsync("s", "m", "GOOD", null, options).InTime();

        Assert.Contains("broken", exception.Message, StringComparison.Ordinal);
        Assert.Equal("BAD", (await failed.Task.InTime()).Event.EventName);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Request_Answered_GivesTheReply(bool sameClient)
    {
        var receiver = await ConnectClientAsync();
        var sender = sameClient ? receiver : await ConnectClientAsync();
        await receiver.RegisterMachineAsync("adder", received =>
        {
            Assert.True(received.IsRequest);
            received.Reply(received.GetPayload<int[]>()!.Sum(), "SUM");
            return Task.CompletedTask;
        }).InTime();

        var reply = await sender.RequestAsync("s", "adder", "ADD", Enumerable.Range(1, 3).ToArray()).InTime();

        Assert.Equal("SUM", reply.EventName);
        Assert.Equal(6, reply.GetPayload<int>());
        Assert.Equal("adder", reply.SourceMachineId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Request_NotAnsweredInTime_IsDeadlineExceeded(bool sameClient)
    {
        var receiver = await ConnectClientAsync();
        var sender = sameClient ? receiver : await ConnectClientAsync();
        var release = new TaskCompletionSource();
        await receiver.RegisterMachineAsync("m", _ => release.Task).InTime();

        await FailsAsync(
            sender.RequestAsync("s", "m", "ASK", timeout: TimeSpan.FromMilliseconds(50)), StatusCode.DeadlineExceeded);

        release.SetResult();
    }

    [Fact]
    public async Task SendEvent_UnknownTarget_FailsByItsNameAndRaisesSendFailed()
    {
        var client = await ConnectClientAsync();
        var failed = new TaskCompletionSource<EventSendFailure>();
        client.SendFailed += (_, failure) => failed.TrySetResult(failure);

        var exception = await FailsAsync(client.SendEventAsync("s", "nobody", "E"), StatusCode.NotFound);

        Assert.Equal("nobody", exception.MachineId);
        Assert.Equal("nobody", (await failed.Task.InTime()).TargetMachineId);
    }

    [Fact]
    public async Task SendEvent_NotConnected_IsUnavailable()
    {
        var client = await ConnectClientAsync();
        await client.DisconnectAsync().InTime();

        await FailsAsync(client.SendEventAsync("s", "m", "E"), StatusCode.Unavailable);
    }

    [Fact]
    public async Task SendEvent_MoreThanMayBePending_IsResourceExhausted()
    {
        var receiver = await ConnectClientAsync(options => options.ReceiveWindow = 1);
        var sender = await ConnectClientAsync(options => options.MaxPendingSends = 100);
        var release = new TaskCompletionSource();
        await receiver.RegisterMachineAsync(
            "m", _ => release.Task, new MachineOptions { MailboxCapacity = 1 }).InTime();

        var sends = Enumerable.Range(0, 200).Select(i => sender.SendEventAsync("s", "m", $"{i}")).ToArray();
        release.SetResult();

        var results = await Task.WhenAll(sends.Select(async send =>
        {
            try
            {
                await send.InTime();
                return StatusCode.OK;
            }
            catch (EventBusException exception)
            {
                return exception.StatusCode;
            }
        })).InTime();
        Assert.Contains(StatusCode.ResourceExhausted, results);
        Assert.Contains(StatusCode.OK, results);
    }

    [Fact]
    public async Task SendEvent_OneMachineBlocksItsHandler_OthersGoOn()
    {
        var receiver = await ConnectClientAsync(options => options.ReceiveWindow = 4);
        var sender = await ConnectClientAsync();
        using var release = new ManualResetEventSlim();
        await receiver.RegisterMachineAsync("slow", _ =>
        {
            release.Wait(TimeLimit.Value * 10);
            return Task.CompletedTask;
        }, new MachineOptions { OverflowPolicy = OverflowPolicy.DropOldest, MailboxCapacity = 10 }).InTime();
        var fast = await ReceiveAsync(receiver, "fast");

        for (var i = 0; i < 100; i++)
        {
            await sender.SendEventAsync("s", "slow", $"{i}").InTime();
            await sender.SendEventAsync("s", "fast", $"{i}").InTime();
            Assert.Equal($"{i}", (await fast.ReadAsync().InTime()).EventName);
        }

        release.Set();
    }
}
