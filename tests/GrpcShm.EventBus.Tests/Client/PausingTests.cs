using System.Threading.Channels;
using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>Subscriptions that are paused for a while.</summary>
public sealed class PausingTests : ClientTest
{
    private static readonly EventSendOptions Processed = new() { Acknowledgement = AcknowledgementLevel.Processed };

    protected override void Configure(EventBusOptions options) => options.MaxBlockTime = TimeSpan.FromMilliseconds(300);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pause_OfAMachine_HoldsItsEventsBackInOrder(bool sameClient)
    {
        const int count = 200;
        var receiver = await ConnectClientAsync();
        var sender = sameClient ? receiver : await ConnectClientAsync();
        var handled = Channel.CreateUnbounded<string>();
        var subscription = (BusSubscription)await receiver.RegisterMachineAsync(
            "m", received => handled.Writer.WriteAsync(received.EventName).AsTask()).InTime();
        await sender.SendEventAsync("s", "m", "BEFORE", null, Processed).InTime();
        Assert.Equal("BEFORE", await handled.Reader.ReadAsync().InTime());

        subscription.Pause();
        subscription.Pause();
        Assert.True(subscription.IsPaused);
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => sender.SendEventAsync("s", "m", $"{i}"))).InTime();
        var last = sender.SendEventAsync("s", "m", "LAST", null, Processed);

        // It is in the process of the machine when one behind it has been handled by another machine.
        await receiver.RegisterMachineAsync("other", _ => Task.CompletedTask).InTime();
        await sender.SendEventAsync("s", "other", "E", null, Processed).InTime();
        Assert.False(handled.Reader.TryPeek(out _));
        Assert.False(last.IsCompleted);
        subscription.Resume();

        await last.InTime();
        Assert.False(subscription.IsPaused);
        for (var i = 0; i < count; i++)
        {
            Assert.Equal($"{i}", await handled.Reader.ReadAsync().InTime());
        }

        Assert.Equal("LAST", await handled.Reader.ReadAsync().InTime());
    }

    [Fact]
    public async Task Pause_OfAMachineForLong_HoldsItsSendersUp()
    {
        var receiver = await ConnectClientAsync();
        var sender = await ConnectClientAsync();
        var handled = Channel.CreateUnbounded<string>();
        var subscription = (BusSubscription)await receiver.RegisterMachineAsync(
            "m",
            received => handled.Writer.WriteAsync(received.EventName).AsTask(),
            new MachineOptions { MailboxCapacity = 4 }).InTime();
        subscription.Pause();

        var sends = Enumerable.Range(0, 20).Select(i => sender.SendEventAsync("s", "m", $"{i}")).ToArray();

        var refused = await FailsAsync(sends[^1], StatusCode.ResourceExhausted);
        Assert.Equal("m", refused.MachineId);
        await TimeLimit.UntilAsync(() => sends.All(send => send.IsCompleted));
        subscription.Resume();
        for (var i = 0; i < sends.Length && sends[i].IsCompletedSuccessfully; i++)
        {
            Assert.Equal($"{i}", await handled.Reader.ReadAsync().InTime());
        }
    }

    [Fact]
    public async Task Pause_OfAnObserver_LosesTheOldest()
    {
        var client = await ConnectClientAsync();
        var sender = await ConnectClientAsync();
        var handled = Channel.CreateUnbounded<string>();
        var lost = new TaskCompletionSource();
        client.EventsLost += (_, _) => lost.TrySetResult();
        var subscription = (BusSubscription)await client.SubscribeToPatternAsync(
            new EventPattern { Name = "*" },
            received => handled.Writer.WriteAsync(received.EventName).AsTask(),
            new MachineOptions { MailboxCapacity = 4 }).InTime();
        await ReceiveAsync(client, "m");
        subscription.Pause();

        for (var i = 0; i < 20; i++)
        {
            await sender.SendEventAsync("s", "m", $"{i}").InTime();
        }

        await lost.Task.InTime();
        subscription.Resume();
        var last = await handled.Reader.ReadAsync().InTime();
        while (last != "19")
        {
            last = await handled.Reader.ReadAsync().InTime();
        }
    }

    [Fact]
    public async Task Dispose_OfAPausedHandler_LetsTheOtherHandlersOfTheMachineGoOn()
    {
        var client = await ConnectClientAsync();
        var handled = Channel.CreateUnbounded<string>();
        var paused = (BusSubscription)await client.SubscribeAsync(
            "m", _ => handled.Writer.WriteAsync("paused").AsTask()).InTime();
        using var other = await client.SubscribeAsync("m", _ => handled.Writer.WriteAsync("other").AsTask()).InTime();
        paused.Pause();
        var sending = client.SendEventAsync("s", "m", "E", null, Processed);
        Assert.False(sending.IsCompleted);

        paused.Dispose();
        paused.Dispose();
        paused.Pause();

        await sending.InTime();
        Assert.Equal("other", await handled.Reader.ReadAsync().InTime());
        Assert.False(paused.IsPaused);
    }
}
