using System.Globalization;
using System.Threading.Channels;
using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using GrpcShm.EventBus.Tests.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Processes;

public sealed class ClientProcessTests
{
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(5);

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    public async Task Kill_Sender_SuccessorGoesOnWithoutAGap(string transport)
    {
        await using var hub = await HubProcess.StartAsync(transport);
        using var channel = HubChannel.To(hub.Address);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        await client.ConnectAsync().InTime();
        var numbers = Channel.CreateUnbounded<int>();
        await client.RegisterMachineAsync(
            "m", received => numbers.Writer.WriteAsync(received.Version).AsTask()).InTime();

        await using var sender = await ChildProcess.StartAsync("counting-sender", hub.Address, "s", "m", "0");
        var next = 0;
        while (next < 5_000)
        {
            Assert.Equal(next++, await numbers.Reader.ReadAsync().InTime());
        }

        await sender.KillAsync();

        // What the dead sender's events in the hub are followed by: this request comes behind them.
        await using var probeEnd = new EventClient(channel).InTime(out var probe);
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

        await using var successor = await ChildProcess.StartAsync(
            "counting-sender", hub.Address, "s", "m", next.ToString(CultureInfo.InvariantCulture));
        for (var end = next + 5_000; next < end; next++)
        {
            Assert.Equal(next, await numbers.Reader.ReadAsync().InTime());
        }
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    public async Task Kill_Subscriber_SuccessorGetsWhatWasNotHandled(string transport)
    {
        await using var hub = await HubProcess.StartAsync(transport);
        using var channel = HubChannel.To(hub.Address);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        await client.ConnectAsync().InTime();
        await using var receiver = await ChildProcess.StartAsync("counting-receiver", hub.Address, "m");
        await SendEachUntilHandledAsync(client, 0, 200);

        await receiver.KillAsync();
        var sending = SendEachUntilHandledAsync(client, 200, 400);
        await using var successor = await ChildProcess.StartAsync("counting-receiver", hub.Address, "m");
        await sending;

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
    public async Task Kill_Hub_ClientsComeBackAndNothingIsLostOrReordered(string transport)
    {
        await using var hub = await HubProcess.StartAsync(transport);
        using var channel = HubChannel.To(hub.Address);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        var changes = Channel.CreateUnbounded<EventBusConnectionState>();
        client.ConnectionChanged += (_, change) => changes.Writer.TryWrite(change.State);
        await client.ConnectAsync().InTime();
        await using var receiver = await ChildProcess.StartAsync("counting-receiver", hub.Address, "m");
        await SendEachUntilHandledAsync(client, 0, 200);

        var sending = SendEachUntilHandledAsync(client, 200, 600);
        await hub.RestartAsync();
        await sending;

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
    public async Task SendEvent_OneMebibyte_ArrivesWhole(string transport)
    {
        await using var hub = await HubProcess.StartAsync(transport);
        using var first = HubChannel.To(hub.Address);
        using var second = HubChannel.To(hub.Address);
        await using var senderEnd = new EventClient(first).InTime(out var sender);
        await using var receiverEnd = new EventClient(second).InTime(out var receiver);
        await sender.ConnectAsync().InTime();
        await receiver.ConnectAsync().InTime();
        var events = await ClientTest.ReceiveAsync(receiver, "m");
        var payload = new byte[1024 * 1024];
        new Random(4711).NextBytes(payload);

        for (var i = 0; i < 20; i++)
        {
            payload[0] = (byte)i;
            _ = sender.SendEventAsync("s", "m", "BIG", payload);
        }

        for (var i = 0; i < 20; i++)
        {
            payload[0] = (byte)i;
            var received = await events.ReadAsync().InTime();
            Assert.True(payload.AsSpan().SequenceEqual(received.GetPayload<byte[]>()));
        }
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
