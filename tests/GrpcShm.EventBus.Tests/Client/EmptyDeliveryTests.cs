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

    [Fact]
    public async Task Session_WhoseHubDeliversNoEventBehindOne_LeavesTheMachineAbleToHandleTheNextOne()
    {
        await using var hub = await FakeHub.StartAsync(_directory.Socket, static (session, request) =>
        {
            var response = FakeHub.CarryOut(request);
            if (request.Commands.Any(static command => command.Send is not null))
            {
                // The client refuses the first session's response as a whole, and sends again in the second session.
                response.Deliveries.Add(new Delivery { Subscription = 1, Event = new Event { Name = $"E{session}" } });
                if (session == 1)
                {
                    response.Deliveries.Add(new Delivery { Subscription = 1 });
                }
            }

            return response;
        });
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        await client.ConnectAsync().InTime();
        var handled = Channel.CreateUnbounded<string>();
        await client.RegisterMachineAsync("m", received => handled.Writer.WriteAsync(received.EventName).AsTask())
            .InTime();

        await client.SendEventAsync("s", "t", "E").InTime();

        Assert.Equal("E2", await handled.Reader.ReadAsync().InTime());
        Assert.Equal(2, hub.Sessions);
    }
}
