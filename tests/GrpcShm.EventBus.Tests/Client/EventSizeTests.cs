using System.Collections.Immutable;
using Grpc.Core;
using Grpc.Core.Interceptors;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>Messages that are large for another reason than one large payload, and limits on the way.</summary>
public sealed class EventSizeTests : ClientTest
{
    private const int Mebibyte = 1024 * 1024;

    [Fact]
    public async Task SendEvent_ManyLargeHeadersAtOnce_AllArrive()
    {
        const int count = 30;
        var sender = await ConnectClientAsync();
        var inbox = await ReceiveAsync(await ConnectClientAsync(), "m");
        var options = new EventSendOptions
        {
            Headers = ImmutableDictionary<string, string>.Empty.Add("h", new string('x', Mebibyte / 2)),
        };

        await Task.WhenAll(Enumerable.Range(0, count).Select(
            i => sender.SendEventAsync("s", "m", $"{i}", null, options))).InTime();

        for (var i = 0; i < count; i++)
        {
            Assert.Equal($"{i}", (await inbox.ReadAsync().InTime()).EventName);
        }

        Assert.Equal(EventBusConnectionState.Connected, sender.State);
    }

    [Fact]
    public async Task Publish_ToAGroupWithALongName_FailsAlone()
    {
        var sessions = new FailingSessions(static _ => null);
        await using var client = await ConnectAsync(Connect(), sessions);
        var inbox = await ReceiveAsync(client, "m");

        var publishing = client.PublishAsync(
            "E", null, new EventPublishOptions { Group = new string('g', 8 * Mebibyte) });

        await FailsAsync(publishing, StatusCode.ResourceExhausted);
        await client.PublishAsync("E", null).InTime();
        Assert.Equal("E", (await inbox.ReadAsync().InTime()).EventName);
        Assert.Equal(1, sessions.Attempts);
    }

    [Fact]
    public async Task Register_TooManyGroups_FailsAlone()
    {
        var sessions = new FailingSessions(static _ => null);
        await using var client = await ConnectAsync(Connect(), sessions);
        var groups = Enumerable.Range(0, 20).Select(i => new string('g', Mebibyte) + i).ToImmutableArray();

        var registering = client.RegisterMachineAsync(
            "m", _ => Task.CompletedTask, new MachineOptions { Groups = groups });

        await FailsAsync(registering, StatusCode.ResourceExhausted);
        await ReceiveAsync(client, "m");
        Assert.Equal(1, sessions.Attempts);
    }

    [Fact]
    public async Task NewState_TooLong_FailsTheRequestAlone()
    {
        var sessions = new FailingSessions(static _ => null);
        await using var responder = await ConnectAsync(Connect(), sessions);
        await responder.RegisterMachineAsync("m", received =>
        {
            received.NewState = received.EventName == "LONG" ? new string('s', 8 * Mebibyte) : "short";
            received.Reply(received.EventName);
            return Task.CompletedTask;
        }).InTime();
        var asker = await ConnectClientAsync();

        await FailsAsync(asker.RequestAsync("a", "m", "LONG"), StatusCode.InvalidArgument);

        await asker.RequestAsync("a", "m", "SHORT").InTime();
        Assert.Equal(1, sessions.Attempts);
    }

    [Fact]
    public async Task ListMachines_WithManyGroups_ListsAll()
    {
        const int count = 200;
        var client = await ConnectClientAsync();
        var groups = Enumerable.Range(0, 60).Select(i => new string('g', 250) + i).ToImmutableArray();
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => client.RegisterMachineAsync(
            $"m{i:000}", _ => Task.CompletedTask, new MachineOptions { Groups = groups }))).InTime();

        var listed = new List<string>();
        await foreach (var machine in client.ListMachinesAsync())
        {
            listed.Add(machine.MachineId);
        }

        // All of them together are larger than a message that gRPC takes.
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"m{i:000}"), listed);
        var page = await Client.ListMachinesAsync(new ListMachinesRequest()).ResponseAsync.InTime();
        Assert.InRange(page.CalculateSize(), Mebibyte, 2 * Mebibyte);
    }

    [Fact]
    public async Task SendEvent_LargerThanTheChannelSends_FailsAlone()
    {
        var sessions = new FailingSessions(static _ => null);
        using var channel = HubChannel.To(Address, static options => options.MaxSendMessageSize = Mebibyte);
        await using var client = await ConnectAsync(channel, sessions);
        var inbox = await ReceiveAsync(await ConnectClientAsync(), "m");

        var large = client.SendEventAsync("s", "m", "LARGE", new byte[2 * Mebibyte]);
        var small = client.SendEventAsync("s", "m", "SMALL");

        var failure = await FailsAsync(large, StatusCode.ResourceExhausted);
        Assert.StartsWith("The event has 20972", failure.Message, StringComparison.Ordinal);
        await small.InTime();
        Assert.Equal("SMALL", (await inbox.ReadAsync().InTime()).EventName);
        Assert.Equal(2, sessions.Attempts);
    }

    [Fact]
    public async Task Session_MessageTooLargeForTheHub_IsEndedByThatReason()
    {
        await using var session = OpenSession();
        Assert.Equal(4 * Mebibyte, (int)(await session.Opened.InTime()).MaxMessageSize);

        var sending = session.SendAsync(new SessionCommand
        {
            Send = new Event { Name = "E", Target = "m", Source = new string('x', 5 * Mebibyte) },
        });

        var closing = await session.Closing.InTime();
        Assert.True(closing.MessageTooLarge);
        Assert.Equal((int)StatusCode.ResourceExhausted, closing.StatusCode);
        Assert.Contains("3145728", closing.Message, StringComparison.Ordinal);

        // The hub does not read the rest of the message.
        await Record.ExceptionAsync(() => sending.InTime());
        var ended = Assert.IsType<RpcException>(await session.Ended.InTime());
        Assert.Equal(StatusCode.ResourceExhausted, ended.StatusCode);
    }

    private static async Task<EventClient> ConnectAsync(ChannelBase channel, FailingSessions sessions)
    {
        var client = new EventClient(new Contract.EventBusClient(channel.Intercept(sessions)));
        await client.ConnectAsync().InTime();
        return client;
    }
}
