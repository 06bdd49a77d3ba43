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

    public static TheoryData<string, int?> Hubs { get; } = new()
    {
        { "shm", null }, { "uds", null }, { "shm", Raised }, { "uds", Raised },
    };

    [Theory]
    [MemberData(nameof(Hubs))]
    public async Task SendEvent_TooLarge_FailsAloneByBothNumbers(string transport, int? maxEventSize)
    {
        var most = maxEventSize ?? Default;
        var sessions = new FailingSessions(static _ => null);
        await using var hub = await HubProcess.StartAsync(transport, maxEventSize);
        await using var machine = await ChildProcess.StartAsync("answering-machine", hub.Address, "m");
        using var channel = HubChannel.To(hub.Address);
        await using var client = await ConnectAsync(channel, sessions);
        var events = await ClientTest.ReceiveAsync(client, "own");
        var payload = new byte[most + 1_100_000];

        var processed = new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed };
        Task[] tooLarge =
        [
            client.SendEventAsync("", "m", "LARGE", payload),
            client.SendEventAsync("", "m", "LARGE", payload, processed),
            client.PublishAsync("LARGE", payload),
            client.RequestAsync("", "m", "1", payload),
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
        Assert.Equal(3, ((byte[])(await client.RequestAsync("", "m", "3", Bytes(1)).InTime()).Payload!).Length);
        Assert.Equal("3 1", await machine.ReadLineAsync());
        await client.PublishAsync("SMALL", Bytes(2)).InTime();
        Assert.Equal("SMALL", (await events.ReadAsync().InTime()).EventName);
        Assert.Equal("SMALL 2", await machine.ReadLineAsync());
        Assert.Equal(1, sessions.Attempts);
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    public async Task SendEvent_AsLargeAsTheHubTakes_ArrivesAndSoDoesTheReply(string transport)
    {
        var sessions = new FailingSessions(static _ => null);
        await using var hub = await HubProcess.StartAsync(transport, Raised);
        await using var machine = await ChildProcess.StartAsync("answering-machine", hub.Address, "m");
        using var channel = HubChannel.To(hub.Address);
        await using var client = await ConnectAsync(channel, sessions);
        var events = await ClientTest.ReceiveAsync(client, "own");
        var payload = new byte[Raised - 1024];
        Random.Shared.NextBytes(payload);

        await client.SendEventAsync("", "m", "SENT", payload).InTime();
        var reply = await client.RequestAsync("", "m", $"{payload.Length}", payload).InTime();
        var recipients = await client.PublishAsync(
            "PUBLISHED", payload, new EventPublishOptions { MachinePattern = "*" }).InTime();

        Assert.Equal(payload.Length, ((byte[])reply.Payload!).Length);
        Assert.Equal(2, recipients);
        Assert.Equal(payload, (byte[])(await events.ReadAsync().InTime()).Payload!);
        Assert.Equal($"SENT {payload.Length}", await machine.ReadLineAsync());
        Assert.Equal($"{payload.Length} {payload.Length}", await machine.ReadLineAsync());
        Assert.Equal($"PUBLISHED {payload.Length}", await machine.ReadLineAsync());
        Assert.Equal(1, sessions.Attempts);
    }

    [Theory]
    [MemberData(nameof(Hubs))]
    public async Task Request_ReplyTooLarge_FailsAloneByBothNumbers(string transport, int? maxEventSize)
    {
        var most = maxEventSize ?? Default;
        var sessions = new FailingSessions(static _ => null);
        await using var hub = await HubProcess.StartAsync(transport, maxEventSize);
        await using var machine = await ChildProcess.StartAsync("answering-machine", hub.Address, "m");
        using var channel = HubChannel.To(hub.Address);
        await using var client = await ConnectAsync(channel, sessions);

        var tooLarge = client.RequestAsync("", "m", $"{most + 2_000_000}", Bytes(1));
        var small = client.RequestAsync("", "m", "5", Bytes(1));

        // Not a status after which a pipeline asks again: the event has been handled.
        var failure = await ClientTest.FailsAsync(tooLarge, StatusCode.Internal);
        Assert.Contains($"the hub takes at most {most} (MaxEventSize)", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"has {(most + 2_000_000) / 1000}", failure.Message, StringComparison.Ordinal);
        Assert.Equal(5, ((byte[])(await small.InTime()).Payload!).Length);
        Assert.Equal(1, sessions.Attempts);
    }

    private static byte[] Bytes(int count) => new byte[count];

    private static async Task<EventClient> ConnectAsync(ChannelBase channel, FailingSessions sessions)
    {
        var client = new EventClient(new Contract.EventBusClient(channel.Intercept(sessions)));
        await client.ConnectAsync().InTime();
        return client;
    }
}
