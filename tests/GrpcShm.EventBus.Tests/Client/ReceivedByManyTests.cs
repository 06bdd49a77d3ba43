using System.Collections.Concurrent;
using System.Threading.Channels;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>Deliveries that are for several machines of one client.</summary>
public sealed class ReceivedByManyTests : ClientTest
{
    [Fact]
    public async Task Publish_ToManyMachinesOfAClient_EachHandlesAllEventsInOrder()
    {
        const int machines = 20;
        const int publications = 300;
        var receiving = await ConnectClientAsync();
        var received = new List<ChannelReader<BusEvent>>();
        for (var i = 0; i < machines; i++)
        {
            received.Add(await ReceiveAsync(receiving, $"m{i}"));
        }

        var publisher = await ConnectClientAsync();
        var sends = new List<Task>();
        for (var i = 0; i < publications; i++)
        {
            sends.Add(publisher.PublishAsync($"P{i}", i));
            if (i % 10 == 0)
            {
                sends.Add(publisher.SendEventAsync("s", $"m{i / 10 % machines}", $"S{i}"));
            }
        }

        await Task.WhenAll(sends).InTime();
        for (var machine = 0; machine < machines; machine++)
        {
            for (var i = 0; i < publications; i++)
            {
                var published = await received[machine].ReadAsync().InTime();
                Assert.Equal(($"P{i}", i), (published.EventName, published.GetPayload<int>()));
                if (i % 10 == 0 && i / 10 % machines == machine)
                {
                    Assert.Equal($"S{i}", (await received[machine].ReadAsync().InTime()).EventName);
                }
            }
        }
    }

    [Fact]
    public async Task Session_WhoseHubNamesUnknownSubscriptionsAndSomeTwice_GivesEventsToThoseThatAreThere()
    {
        using var directory = new TempDirectory();
        await using var hub = await FakeHub.StartAsync(directory.Socket, static (_, request) =>
        {
            var response = FakeHub.CarryOut(request);
            if (request.Commands.Any(static command => command.Send is not null))
            {
                response.Deliveries.Add(new Delivery
                {
                    Subscription = 77,
                    Number = 5,
                    Acknowledgement = AcknowledgementLevel.Processed,
                    Event = new Event { Name = "E" },
                    Also = { 0, 1, uint.MaxValue, 1, 2 },
                });
            }

            return response;
        });
        using var channel = HubChannel.To(directory.Socket);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        await client.ConnectAsync().InTime();
        var first = await ReceiveAsync(client, "first");
        var second = await ReceiveAsync(client, "second");

        await client.SendEventAsync("s", "t", "SEND").InTime();

        Assert.Equal("E", (await second.ReadAsync().InTime()).EventName);
        Assert.Equal("E", (await first.ReadAsync().InTime()).EventName);
        Assert.Equal("E", (await first.ReadAsync().InTime()).EventName);
        Assert.Equal(1, hub.Sessions);
    }

    [Fact]
    public async Task Session_WhoseHubNamesTooManySubscriptions_EndsByThatAndTheNextOneGoesOn()
    {
        using var directory = new TempDirectory();
        await using var hub = await FakeHub.StartAsync(directory.Socket, static (session, request) =>
        {
            var response = FakeHub.CarryOut(request);
            if (session == 1 && request.Commands.Any(static command => command.Subscribe is not null))
            {
                response.Deliveries.Add(new Delivery
                {
                    Subscription = 1, Event = new Event { Name = "E" }, Also = { Enumerable.Repeat(1u, 65_537) },
                });
            }

            return response;
        });
        using var channel = HubChannel.To(directory.Socket);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        var reasons = new ConcurrentQueue<string>();
        client.ConnectionChanged += (_, change) =>
        {
            if (change is { State: EventBusConnectionState.Reconnecting, Reason: { } reason })
            {
                reasons.Enqueue(reason.Message);
            }
        };
        await client.ConnectAsync().InTime();

        var events = await ReceiveAsync(client, "m");

        await client.SendEventAsync("s", "t", "SEND").InTime();
        Assert.Equal(2, hub.Sessions);
        Assert.Contains("further subscriptions", Assert.Single(reasons), StringComparison.Ordinal);
        Assert.False(events.TryRead(out _));
    }
}
