using Google.Protobuf;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>
/// A process that the hub has introduced, and that breaks the rules of a lane: its lane ends, and the client goes on.
/// The test itself is this process: a session by its own commands, and the connection of the lane.
/// </summary>
public sealed class HostileLaneTests : LaneTest
{
    [Theory]
    [InlineData("frame without a length")]
    [InlineData("frame that is too large")]
    [InlineData("malformed frame")]
    [InlineData("second greeting")]
    [InlineData("delivery out of turn")]
    [InlineData("event of another source")]
    [InlineData("event of another sender")]
    [InlineData("event without credit")]
    [InlineData("answer to nothing")]
    [InlineData("acceptance of nothing")]
    [InlineData("delivery without an event")]
    [InlineData("answers that are not read")]
    public async Task Lane_OtherSideBreaksTheRules_LaneEndsAndMachinesGoOn(string fault)
    {
        var client = await ConnectLanesAsync();
        var events = await ReceiveAsync(client, "X");
        await using var peer = await OpenPeerAsync();
        var (lane, grant, credit) = await peer.ConnectAsync();

        await peer.BreakRuleAsync(lane, fault, grant, credit);

        Assert.True(await LanePeer.EndsAsync(lane));
        await client.SendEventAsync("someone", "X", "still there").InTime();
        BusEvent received;
        do
        {
            received = await events.ReadAsync().AsTask().InTime();
        }
        while (received.EventName == "E");
        Assert.Equal("still there", received.EventName);
    }

    [Fact]
    public async Task Lane_WrongToken_IsNotLetIn()
    {
        var client = await ConnectLanesAsync();
        await ReceiveAsync(client, "X");
        await using var peer = await OpenPeerAsync();
        var introduction = await peer.AskAsync();

        await using var stranger = await Lanes.ConnectAsync(introduction.Address, CancellationToken.None);
        await LanePeer.WriteAsync(stranger, new LaneFrame
        {
            Hello = new LaneHello { Lane = introduction.Lane, Token = ByteString.CopyFrom(new byte[16]), Version = 1 },
        });

        Assert.True(await LanePeer.EndsAsync(stranger));
        var (lane, _, _) = await peer.GreetAsync(introduction);
        await LanePeer.WriteAsync(lane, new LaneFrame { Deliveries = { peer.NewDelivery(1) } });
        Assert.Equal(1UL, (await LanePeer.ReadAsync(lane, static frame => frame.AcceptedThrough > 0)).AcceptedThrough);
    }

    [Theory]
    [InlineData("character")]
    [InlineData("long name")]
    [InlineData("long id")]
    public async Task Lane_EventThatTheHubWouldRefuse_IsGivenBackWithAllBehindIt(string fault)
    {
        var client = await ConnectLanesAsync();
        var events = await ReceiveAsync(client, "X");
        await using var peer = await OpenPeerAsync();
        var (lane, _, _) = await peer.ConnectAsync();
        var wrong = peer.NewDelivery(2);
        var tooLong = new string('x', new EventBusOptions().MaxIdLength + 1);
        wrong.Event.Name = fault == "character" ? "a\u001b[2Jb"
            : fault == "long name" ? string.Concat(Enumerable.Repeat(tooLong, 4))
            : "E";
        wrong.Event.Id = fault == "long id" ? tooLong : "";

        await LanePeer.WriteAsync(lane, new LaneFrame
        {
            Deliveries = { peer.NewDelivery(1), wrong, peer.NewDelivery(3) },
        });

        var rerouted = new List<ulong>();
        await LanePeer.ReadAsync(lane, frame =>
        {
            rerouted.AddRange(frame.Outcomes.Where(static o => o.Rerouted).Select(static o => o.Number));
            return frame.AcceptedThrough == 3;
        });
        Assert.Equal([2UL, 3UL], rerouted);
        Assert.Equal("E", (await events.ReadAsync().AsTask().InTime()).EventName);
        await ExpectNoMoreAsync(events, client, "X");
    }

    private async Task<LanePeer> OpenPeerAsync()
    {
        var peer = new LanePeer(OpenSession(), Lanes);
        await peer.OpenAsync().InTime();
        return peer;
    }
}
