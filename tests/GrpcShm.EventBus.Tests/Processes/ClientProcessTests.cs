using System.Globalization;
using System.Threading.Channels;
using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Processes;

public sealed class ClientProcessTests
{
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(5);

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("lane")]
    public async Task Kill_Sender_SuccessorGoesOnWithoutAGap(string name)
    {
        using var way = TestedWay.Of(name);
        await using var hub = await HubProcess.StartAsync(name);
        using var channel = HubChannel.To(hub.Address);
        await using var clientEnd = new EventClient(channel, way.NewOptions()).InTime(out var client);
        await client.ConnectAsync().InTime();
        var numbers = Channel.CreateUnbounded<int>();
        await client.RegisterMachineAsync(
            "m", received => numbers.Writer.WriteAsync(received.Version).AsTask()).InTime();

        await using var sender = await way.StartAsync("counting-sender", hub.Address, "s", "m", "0");
        var overLane = way.UsesLanes ? sender.ReadLineAsync() : Task.FromResult<string?>("over a lane");
        var next = 0;
        while (next < 5_000 || !overLane.IsCompleted)
        {
            Assert.Equal(next++, await numbers.Reader.ReadAsync().InTime());
        }

        Assert.Equal("over a lane", await overLane);
        var lost = new TaskCompletionSource();
        await client.SubscribeToMachinesAsync("s", presence =>
        {
            if (!presence.IsPresent)
            {
                lost.TrySetResult();
            }

            return Task.CompletedTask;
        }).InTime();
        await sender.KillAsync();

        // Nothing comes from the dead sender when its machine is gone. This request comes behind all that came.
        await lost.Task.InTime();
        await using var probeEnd = new EventClient(channel, way.NewOptions()).InTime(out var probe);
        await probe.ConnectAsync().InTime();
        await probe.SendEventAsync(
            "probe",
            "m",
            "PROBE",
            null,
            new EventSendOptions { Version = -1, Acknowledgement = AcknowledgementLevel.Processed }).InTime();
        while (await numbers.Reader.ReadAsync().InTime() is var number and >= 0)
        {
            Assert.Equal(next++, number);
        }

        await using var successor = await way.StartAsync(
            "counting-sender", hub.Address, "s", "m", next.ToString(CultureInfo.InvariantCulture));
        overLane = way.UsesLanes ? successor.ReadLineAsync() : overLane;
        for (var end = next + 5_000; next < end || !overLane.IsCompleted; next++)
        {
            Assert.Equal(next, await numbers.Reader.ReadAsync().InTime());
        }

        Assert.Equal("over a lane", await overLane);
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("lane")]
    public async Task Kill_Subscriber_SuccessorGetsWhatWasNotHandled(string name)
    {
        using var way = TestedWay.Of(name);
        await using var hub = await HubProcess.StartAsync(name);
        using var channel = HubChannel.To(hub.Address);
        await using var clientEnd = new EventClient(channel, way.NewOptions()).InTime(out var client);
        await client.ConnectAsync().InTime();
        await using var receiver = await way.StartAsync("counting-receiver", hub.Address, "m");
        await client.RegisterMachineAsync("s", static _ => Task.CompletedTask).InTime();
        await SendEachUntilHandledAsync(client, 0, 200);
        await way.OpenAsync(client, "s", "m").InTime();

        await receiver.KillAsync();
        var sending = SendEachUntilHandledAsync(client, 200, 400);
        await using var successor = await way.StartAsync("counting-receiver", hub.Address, "m");
        await sending;
        var opened = way.Events;
        await way.OpenAsync(client, "s", "m").InTime();
        await way.ExpectCarriedAsync(opened);

        for (var number = 0; number < 200; number++)
        {
            Assert.Equal($"{number}", await receiver.ReadLineAsync());
        }

        for (var number = 200; number < 400; number++)
        {
            Assert.Equal($"{number}", await successor.ReadLineAsync());
        }
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("lane")]
    public async Task Kill_Hub_ClientsComeBackAndNothingIsLostOrReordered(string name)
    {
        using var way = TestedWay.Of(name);
        await using var hub = await HubProcess.StartAsync(name);
        using var channel = HubChannel.To(hub.Address);
        await using var clientEnd = new EventClient(channel, way.NewOptions()).InTime(out var client);
        var changes = Channel.CreateUnbounded<EventBusConnectionState>();
        client.ConnectionChanged += (_, change) => changes.Writer.TryWrite(change.State);
        await client.ConnectAsync().InTime();
        await using var receiver = await way.StartAsync("counting-receiver", hub.Address, "m");
        await client.RegisterMachineAsync("s", static _ => Task.CompletedTask).InTime();
        await SendEachUntilHandledAsync(client, 0, 200);
        await way.OpenAsync(client, "s", "m").InTime();
        var opened = way.Events;
        await SendEachUntilHandledAsync(client, 200, 300);
        await way.ExpectCarriedAsync(opened, atLeast: 100);

        var sending = SendEachUntilHandledAsync(client, 300, 600);
        await hub.RestartAsync();
        await sending;
        await way.OpenAsync(client, "s", "m").InTime();

        for (var number = 0; number < 600; number++)
        {
            Assert.Equal($"{number}", await receiver.ReadLineAsync());
        }

        await WaitForAsync(changes.Reader, EventBusConnectionState.Reconnecting);
        await WaitForAsync(changes.Reader, EventBusConnectionState.Connected);
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("lane")]
    public async Task SendEvent_OneMebibyte_ArrivesWhole(string name)
    {
        using var way = TestedWay.Of(name);
        await using var hub = await HubProcess.StartAsync(name);
        await using var receiver = await way.StartAsync("echoing-machine", hub.Address, "m");
        using var channel = HubChannel.To(hub.Address);
        await using var senderEnd = new EventClient(channel, way.NewOptions()).InTime(out var sender);
        await sender.ConnectAsync().InTime();
        await way.RegisterAndOpenAsync(sender, "s", "m").InTime();
        var opened = way.Events;
        var payloads = Enumerable.Range(0, 20).Select(i =>
        {
            var payload = new byte[1024 * 1024];
            new Random(i).NextBytes(payload);
            return payload;
        }).ToArray();

        var replies = await Task.WhenAll(
            payloads.Select(payload => sender.RequestAsync("s", "m", "BIG", payload))).InTime();

        for (var i = 0; i < payloads.Length; i++)
        {
            Assert.True(payloads[i].AsSpan().SequenceEqual(replies[i].GetPayload<byte[]>()));
        }

        await way.ExpectCarriedAsync(opened, payloads.Length);
    }

    private static async Task SendEachUntilHandledAsync(EventClient client, int from, int to)
    {
        var options = new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed };
        for (var number = from; number < to; number++)
        {
            // A process may have to start and to connect before the event is handled.
            var giveUpAt = DateTime.UtcNow + (TimeLimit.Value * 5);
            while (!await IsHandledAsync(client, number, options).InTime())
            {
                Assert.True(DateTime.UtcNow < giveUpAt, $"The event {number} was not handled.");
                await Task.Delay(BetweenTries, TestContext.Current.CancellationToken);
            }
        }
    }

    private static async Task<bool> IsHandledAsync(EventClient client, int number, EventSendOptions options)
    {
        try
        {
            var numbered = new EventSendOptions { Acknowledgement = options.Acknowledgement, Version = number };
            return (await client.SendEventAsync("s", "m", "N", null, numbered)).NewState == $"{number}";
        }
        catch (EventBusException exception) when (
            exception.StatusCode is StatusCode.NotFound or StatusCode.Unavailable or StatusCode.DeadlineExceeded)
        {
            return false;
        }
    }

    private static async Task WaitForAsync(
        ChannelReader<EventBusConnectionState> changes, EventBusConnectionState wanted)
    {
        while (await changes.ReadAsync().InTime() != wanted)
        {
        }
    }
}
