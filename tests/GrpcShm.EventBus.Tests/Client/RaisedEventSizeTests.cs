using Google.Protobuf;
using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>A hub that takes larger events than gRPC takes by default, in a server that takes less.</summary>
public sealed class RaisedEventSizeTests : ClientTest
{
    private const int Mebibyte = 1024 * 1024;

    [Fact]
    public async Task SendEvent_LargerThanTheServersOtherServicesTake_Arrives()
    {
        var payload = new byte[9 * Mebibyte];
        Random.Shared.NextBytes(payload);
        var sender = await ConnectClientAsync();
        var inbox = await ReceiveAsync(await ConnectClientAsync(), "m");

        await sender.SendEventAsync("s", "m", "FROM-A-CLIENT", payload).InTime();
        await Server.Hub.SendEventAsync("s", "m", "FROM-THE-HUB", payload).InTime();

        Assert.Equal(payload, (byte[])(await inbox.ReadAsync().InTime()).Payload!);
        Assert.Equal(payload, (byte[])(await inbox.ReadAsync().InTime()).Payload!);
    }

    [Fact]
    public async Task SendEvent_LargerThanTheTransportTakesAtOnce_Arrives()
    {
        var address = $"shm:eventbus-{Guid.NewGuid():N}"[..30];
        await using var hub = await HubServer.StartAsync(address, Configure, static builder =>
            builder.WebHost.UseSharedMemory(static options => options.MaxUnconsumedBytesPerCall = 5 * Mebibyte));
        using var channel = HubChannel.To(address);
        using var otherChannel = HubChannel.To(address);
        await using var senderEnd = new EventClient(channel).InTime(out var sender);
        await using var receiverEnd = new EventClient(otherChannel).InTime(out var receiver);
        await sender.ConnectAsync().InTime();
        await receiver.ConnectAsync().InTime();
        var inbox = await ReceiveAsync(receiver, "m");

        await sender.SendEventAsync("s", "m", "E", new byte[9 * Mebibyte]).InTime();

        Assert.Equal(9 * Mebibyte, ((byte[])(await inbox.ReadAsync().InTime()).Payload!).Length);
    }

    [Fact]
    public async Task SendEvent_LargerThanTheChannelSends_DoesNotFailAnEventThatTheHubHasTaken()
    {
        using var channel = HubChannel.To(Address, static options => options.MaxSendMessageSize = 2 * Mebibyte);
        await using var senderEnd = new EventClient(channel).InTime(out var sender);
        await sender.ConnectAsync().InTime();
        var receiver = await ConnectClientAsync();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await receiver.RegisterMachineAsync("m", async _ =>
        {
            begun.TrySetResult();
            await release.Task;
        }).InTime();
        var processed = new EventSendOptions
        {
            Acknowledgement = AcknowledgementLevel.Processed, Timeout = TimeLimit.Value,
        };

        // It goes in parts, each of which the channel sends.
        var taken = sender.SendEventAsync("s", "m", "TAKEN", new byte[5 * Mebibyte], processed);
        await begun.Task.InTime();
        var refused = sender.SendEventAsync("s", "m", "REFUSED", new byte[3 * Mebibyte]);

        var failure = await FailsAsync(refused, StatusCode.ResourceExhausted);
        Assert.StartsWith("The event has 31457", failure.Message, StringComparison.Ordinal);
        release.SetResult();
        await taken.InTime();
    }

    [Fact]
    public async Task Session_PartsThatAreTooLargeTogether_EndIt()
    {
        await using var session = OpenSession();
        var part = ByteString.CopyFrom(new byte[Mebibyte]);

        for (var i = 0; i < 12; i++)
        {
            await session.SendRawAsync(new SessionRequest { Part = part, PartFollows = true }).InTime();
        }

        var closing = await session.Closing.InTime();
        Assert.True(closing.MessageTooLarge);
        Assert.Contains($"{11 * Mebibyte}", closing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delivery_ToAClientThatTakesNoParts_ComesWhole()
    {
        using var channel = HubChannel.To(Address, static options => options.MaxReceiveMessageSize = 11 * Mebibyte);
        await using var session = new SessionClient(channel);
        await SubscribeAsync(session, new Subscription { Number = 1, Inbox = "m" });

        await Server.Hub.SendEventAsync("s", "m", "E", new byte[9 * Mebibyte]).InTime();

        Assert.Equal(9 * Mebibyte, (await session.Deliveries.ReadAsync().InTime()).Event.Payload.Length);
    }

    [Fact]
    public async Task Delivery_ToAChannelThatReceivesLess_EndsTheSessionOfThatChannelOnly()
    {
        using var channel = HubChannel.To(Address);
        await using var session = new SessionClient(channel);
        await SubscribeAsync(session, new Subscription { Number = 1, Inbox = "m" });
        var other = await ConnectClientAsync();
        var processed = new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed };

        var sending = other.SendEventAsync("s", "m", "E", new byte[9 * Mebibyte], processed);

        var ended = Assert.IsType<RpcException>(await session.Ended.InTime());
        Assert.Equal(StatusCode.ResourceExhausted, ended.StatusCode);
        await FailsAsync(sending, StatusCode.Unavailable);
        Assert.Equal(EventBusConnectionState.Connected, other.State);
    }

    protected override void Configure(EventBusOptions options) => options.MaxEventSize = 10 * Mebibyte;

    protected override void Build(WebApplicationBuilder builder) => builder.Services.AddGrpc(grpc =>
    {
        grpc.MaxReceiveMessageSize = 64 * 1024;
        grpc.MaxSendMessageSize = 64 * 1024;
    });
}
