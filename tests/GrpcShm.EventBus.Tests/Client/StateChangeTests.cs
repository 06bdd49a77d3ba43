using System.Threading.Channels;

namespace GrpcShm.EventBus.Tests.Client;

public sealed class StateChangeTests : ClientTest
{
    [Fact]
    public async Task PublishStateChange_WithAllThatAnEventMayCarry_ArrivesWithIt()
    {
        var publisher = await ConnectClientAsync();
        var observer = await ConnectClientAsync();
        var changes = Channel.CreateUnbounded<BusEvent>();
        await observer.SubscribeToStateChangesAsync(
            "etcher-*", change => changes.Writer.WriteAsync(change).AsTask()).InTime();
        var change = new MachineStateChange
        {
            OldState =
                "idle", NewState = "etching", Transition = "START", Context = 25, Duration = TimeSpan.FromSeconds(3),
        };

        await publisher.PublishStateChangeAsync("etcher-1", change, "recipe 7", new EventSendOptions
        {
            Id = "id",
            CorrelationId = "lot",
            CausationId = "cause",
            Version = 2,
            Headers = new Dictionary<string, string> { ["user"] = "ada" },
        }).InTime();
        await publisher.PublishStateChangeAsync("etcher-1", change).InTime();

        var received = await changes.Reader.ReadAsync().InTime();
        Assert.Equal(
            ("id", "lot", "cause", 2), (received.Id, received.CorrelationId, received.CausationId, received.Version));
        Assert.Equal("ada", received.Headers["user"]);
        Assert.Equal("recipe 7", received.Payload);
        Assert.Equal(
            ("idle", "etching", "START"),
            (received.StateChange!.OldState, received.StateChange.NewState, received.EventName));
        Assert.Equal(25, received.StateChange.Context);
        Assert.Equal(change.Duration, received.StateChange.Duration);
        Assert.Null((await changes.Reader.ReadAsync().InTime()).Payload);
    }
}
