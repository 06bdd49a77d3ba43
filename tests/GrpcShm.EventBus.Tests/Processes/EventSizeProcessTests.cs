using Grpc.Core;
using Grpc.Core.Interceptors;
using GrpcShm.EventBus.TestProcess;
using GrpcShm.EventBus.Tests.Client;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>
/// Large events, publications, requests and replies between processes whose channels and hub have gRPC's own limits.
/// </summary>
public sealed class EventSizeProcessTests
{
    private const int Default = 3 * 1024 * 1024;
    private const int Raised = 16 * 1024 * 1024;

    public static TheoryData<string, int?> Ways { get; } = new()
    {
        { "shm", null }, { "uds", null }, { "lane", null }, { "shm", Raised }, { "uds", Raised }, { "lane", Raised },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task SendEvent_TooLarge_FailsAloneByBothNumbers(string name, int? maxEventSize)
    {
        using var way = TestedWay.Of(name);
        var most = maxEventSize ?? Default;
        var sessions = new FailingSessions(static _ => null);
        await using var hub = await HubProcess.StartAsync(name, maxEventSize);
        await using var machine = await way.StartAsync("answering-machine", hub.Address, "m");
        using var channel = HubChannel.To(hub.Address);
        await using var client = await ConnectAsync(channel, sessions, way);
        var events = await ClientTest.ReceiveAsync(client, "own");
        await way.OpenAsync(client, "own", "m").InTime();
        var payload = new byte[most + 1_100_000];

        var processed = new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed };
        Task[] tooLarge =
        [
            client.SendEventAsync("own", "m", "LARGE", payload),
            client.SendEventAsync("own", "m", "LARGE", payload, processed),
            client.PublishAsync("LARGE", payload),
            client.RequestAsync("own", "m", "1", payload),
        ];

        foreach (var sending in tooLarge)
        {
            var failure = await ClientTest.FailsAsync(sending, StatusCode.ResourceExhausted);

            // The event has a few bytes beside its payload.
            Assert.StartsWith($"The event has {payload.Length / 1000}", failure.Message, StringComparison.Ordinal);
            Assert.EndsWith(
                $" bytes; the hub takes at most {most} (MaxEventSize).", failure.Message, StringComparison.Ordinal);
        }

        // The session goes on, and so do its machines and its other events.
        Assert.Equal(3, ((byte[])(await client.RequestAsync("own", "m", "3", Bytes(1)).InTime()).Payload!).Length);
        Assert.Equal("3 1", await machine.ReadLineAsync());
        await client.PublishAsync("SMALL", Bytes(2)).InTime();
        Assert.Equal("SMALL", (await events.ReadAsync().InTime()).EventName);
        Assert.Equal("SMALL 2", await machine.ReadLineAsync());
        Assert.Equal(1, sessions.Attempts);
        await way.OpenAsync(client, "own", "m").InTime();
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("lane")]
    public async Task SendEvent_AsLargeAsTheHubTakes_ArrivesAndSoDoesTheReply(string name)
    {
        using var way = TestedWay.Of(name);
        var sessions = new FailingSessions(static _ => null);
        await using var hub = await HubProcess.StartAsync(name, Raised);
        await using var machine = await way.StartAsync("answering-machine", hub.Address, "m");
        using var channel = HubChannel.To(hub.Address);
        await using var client = await ConnectAsync(channel, sessions, way);
        var events = await ClientTest.ReceiveAsync(client, "own");
        await way.OpenAsync(client, "own", "m").InTime();
        var opened = way.Events;
        var payload = new byte[Raised - 1024];
        Random.Shared.NextBytes(payload);

        await client.SendEventAsync("own", "m", "SENT", payload).InTime();
        var reply = await client.RequestAsync("own", "m", $"{payload.Length}", payload).InTime();
        var recipients = await client.PublishAsync(
            "PUBLISHED", payload, new EventPublishOptions { MachinePattern = "*" }).InTime();

        Assert.Equal(payload.Length, ((byte[])reply.Payload!).Length);
        Assert.Equal(2, recipients);
        Assert.Equal(payload, (byte[])(await events.ReadAsync().InTime()).Payload!);
        Assert.Equal($"SENT {payload.Length}", await machine.ReadLineAsync());
        Assert.Equal($"{payload.Length} {payload.Length}", await machine.ReadLineAsync());
        Assert.Equal($"PUBLISHED {payload.Length}", await machine.ReadLineAsync());
        Assert.Equal(1, sessions.Attempts);
        await way.ExpectCarriedAsync(opened, atLeast: 2);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Request_ReplyTooLarge_FailsAloneByBothNumbers(string name, int? maxEventSize)
    {
        using var way = TestedWay.Of(name);
        var most = maxEventSize ?? Default;
        var sessions = new FailingSessions(static _ => null);
        await using var hub = await HubProcess.StartAsync(name, maxEventSize);
        await using var machine = await way.StartAsync("answering-machine", hub.Address, "m");
        using var channel = HubChannel.To(hub.Address);
        await using var client = await ConnectAsync(channel, sessions, way);
        await way.RegisterAndOpenAsync(client, "own", "m").InTime();
        var opened = way.Events;

        var tooLarge = client.RequestAsync("own", "m", $"{most + 2_000_000}", Bytes(1));
        var small = client.RequestAsync("own", "m", "5", Bytes(1));

        // Not a status after which a pipeline asks again: the event has been handled.
        var failure = await ClientTest.FailsAsync(tooLarge, StatusCode.Internal);
        Assert.Contains($"the hub takes at most {most} (MaxEventSize)", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"has {(most + 2_000_000) / 1000}", failure.Message, StringComparison.Ordinal);
        Assert.Equal(5, ((byte[])(await small.InTime()).Payload!).Length);
        Assert.Equal(1, sessions.Attempts);
        await way.ExpectCarriedAsync(opened, atLeast: 2);
    }

    private static byte[] Bytes(int count) => new byte[count];

    private static async Task<EventClient> ConnectAsync(ChannelBase channel, FailingSessions sessions, EventWay way)
    {
        var client = new EventClient(new Contract.EventBusClient(channel.Intercept(sessions)), way.NewOptions());
        await client.ConnectAsync().InTime();
        return client;
    }
}
