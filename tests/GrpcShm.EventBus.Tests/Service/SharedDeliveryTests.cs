using GrpcShm.EventBus.TestProcess;
using GrpcShm.EventBus.Tests.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>Publications to several subscriptions of one session.</summary>
public sealed class SharedDeliveryTests : HubTest
{
    private const int Machines = 3;
    private const int Publications = 200;

    [Fact]
    public async Task Publish_ToAClientThatTakesSharedDeliveries_ReachesEachInOrderAndEachIsCounted()
    {
        using var meter = new HubMeter(Server.Services);
        await using var session = OpenSession();
        await session.ExecuteAsync(new SessionCommand { Open = new OpenSession { TakesSharedDeliveries = true } })
            .InTime();

        var (received, shared) = await PublishAsync(session);

        var expected = Enumerable.Range(0, Publications).Select(static i => $"{i}");
        Assert.All(received, names => Assert.Equal(expected, names));
        Assert.True(shared > 0, "No delivery was shared.");
        await meter.WaitForAsync("grpcshm.eventbus.delivered.messages", Machines * Publications);
    }

    [Fact]
    public async Task Publish_ToAClientThatDoesNotKnowSharedDeliveries_IsDeliveredOnceForEach()
    {
        await using var session = OpenSession();
        await session.ExecuteAsync(new SessionCommand { Open = new OpenSession { Name = "old" } }).InTime();

        var (received, shared) = await PublishAsync(session);

        Assert.All(received, names => Assert.Equal(Publications, names.Count));
        Assert.Equal(0, shared);
    }

    private async Task<(List<string>[] Received, int Shared)> PublishAsync(SessionClient session)
    {
        for (uint i = 1; i <= Machines; i++)
        {
            await SubscribeAsync(session, new Subscription { Number = i, Inbox = $"m{i}" });
        }

        await using var publisher = OpenSession();
        await publisher.SendAsync([.. Enumerable.Range(0, Publications).Select(static i => new SessionCommand
        {
            Publish = new Publication { Event = new Event { Name = $"{i}" }, All = new AllMachines() },
        })]).InTime();

        List<string>[] received = [.. Enumerable.Range(0, Machines).Select(static _ => new List<string>())];
        var shared = 0;
        while (received.Any(static names => names.Count < Publications))
        {
            var delivery = await session.Deliveries.ReadAsync().InTime();
            received[delivery.Subscription - 1].Add(delivery.Event.Name);
            foreach (var number in delivery.Also)
            {
                received[number - 1].Add(delivery.Event.Name);
                shared++;
            }
        }

        return (received, shared);
    }
}
