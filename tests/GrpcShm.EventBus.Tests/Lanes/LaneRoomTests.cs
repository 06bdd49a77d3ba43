using System.Collections.Concurrent;
using GrpcShm.EventBus.TestProcess;
using GrpcShm.EventBus.Tests.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>The room of a receiver that a hub has given up for a route.</summary>
public sealed class LaneRoomTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Fence_OfARouteThatHasEnded_GivesItsRoomBackToTheHub()
    {
        var commands = new ConcurrentQueue<SessionCommand>();
        await using var hub = await FakeHub.StartAsync(_directory.Socket, (_, request) =>
        {
            var response = FakeHub.CarryOut(request);
            foreach (var command in request.Commands)
            {
                commands.Enqueue(command);
                if (command.Subscribe is not null)
                {
                    response.Deliveries.Add(new Delivery
                    {
                        Subscription = command.Subscribe.Number,
                        Number = 7,
                        Acknowledgement = AcknowledgementLevel.Delivered,
                        Fence = 99,
                        ReturnedCredit = 30,
                    });
                }
            }

            return response;
        });
        using var channel = HubChannel.To(_directory.Socket);
        var options = new EventBusClientOptions { Lanes = new PipeLanes() };
        await using var clientEnd = new EventClient(channel, options).InTime(out var client);
        await client.ConnectAsync().InTime();

        await client.RegisterMachineAsync("X", static _ => Task.CompletedTask).InTime();

        await TimeLimit.UntilAsync(() => commands.Any(static command => command.Acknowledge is { Number: 7 }));
        var grant = Assert.Single(commands, static command => command.Grant is not null).Grant;
        Assert.Equal(30u, grant.Deliveries);
        Assert.Equal(1, hub.Sessions);
    }
}
