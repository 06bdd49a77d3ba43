namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>A process that has a lane, and stops: its lane does not keep what goes over it for ever.</summary>
public sealed class SilentLaneTests : LaneTest
{
    [Fact]
    public async Task SendEventAsync_OtherSideTakesNothing_GoesByTheHub()
    {
        var client = await ConnectLanesAsync(options => options.LaneTimes = Times with { LongestDrain = 50 });
        await using var peer = new LanePeer(OpenSession(), Lanes);

        var sends = await SendToSilentAsync(client, peer);

        await Task.WhenAll(sends).InTime();
    }

    [Fact]
    public async Task DisposeAsync_OtherSideTakesNothing_EventsGoByTheHub()
    {
        var client = await ConnectLanesAsync(options =>
        {
            options.LaneTimes = Times with { LongestDrain = 60_000 };
            options.ClosingTime = TimeSpan.FromSeconds(2);
        });
        await using var peer = new LanePeer(OpenSession(), Lanes);
        var sends = await SendToSilentAsync(client, peer);

        await client.DisposeAsync().InTime();

        await Task.WhenAll(sends).InTime();
    }

    [Fact]
    public async Task Lane_NobodyConnects_IsForgotten()
    {
        var client = await ConnectLanesAsync(options => options.LaneTimes = Times with { Greeting = 25 });
        await ReceiveAsync(client, "X");
        await using var peer = new LanePeer(OpenSession(), Lanes);
        await peer.OpenAsync().InTime();
        await peer.AskAsync();

        // The hub is told, and withdraws the route.
        await TimeLimit.UntilAsync(() => Log.Ended > 0);
    }

    // Gives back sends that are on the lane.
    private async Task<Task[]> SendToSilentAsync(EventClient client, LanePeer peer)
    {
        await ReceiveAsync(client, "X");
        await peer.OpenAsync().InTime();
        for (var i = 0; i < Times.AskAfterSends; i++)
        {
            await client.SendEventAsync("X", "P", "E").InTime();
        }

        var lane = await peer.TakeRouteAsync(credit: 10);
        Task[] sends = [client.SendEventAsync("X", "P", "E"), client.SendEventAsync("X", "P", "E")];
        await LanePeer.ReadAsync(lane, static frame => frame.Deliveries.Count > 0);
        return sends;
    }
}
