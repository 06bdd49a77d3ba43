using System.Threading.Channels;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>A delivery of a hub that has no event in it.</summary>
public sealed class EmptyDeliveryTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Session_WhoseHubDeliversNoEvent_EndsByThatAndTheNextOneGoesOn()
    {
        await using var hub = await FakeHub.StartAsync(_directory.Socket, (session, request) =>
        {
            var subscription = request.Commands.Select(static command => command.Subscribe).FirstOrDefault(
                static subscribe => subscribe is not null);
            var response = FakeHub.CarryOut(request);
            if (session == 1 && subscription is not null)
            {
                response.Deliveries.Add(new Delivery { Subscription = subscription.Number });
            }

            return response;
        });
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        var reasons = Channel.CreateUnbounded<Exception>();
        client.ConnectionChanged += (_, change) =>
        {
            if (change is { State: EventBusConnectionState.Reconnecting, Reason: { } reason })
            {
                reasons.Writer.TryWrite(reason);
            }
        };
        await client.ConnectAsync().InTime();

        await client.RegisterMachineAsync("m", static _ => Task.CompletedTask).InTime();

        Assert.Contains(
            "a delivery without an event",
            (await reasons.Reader.ReadAsync().InTime()).Message,
            StringComparison.Ordinal);
        await client.SendEventAsync("s", "t", "E").InTime();
        Assert.Equal(2, hub.Sessions);
    }
}
