using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>Hub, receiver and sender are three processes.</summary>
public sealed class AcknowledgementProcessTests
{
    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("lane")]
    public async Task SendEvent_EachLevel_CompletesWhenTheEventHasComeThatFar(string name)
    {
        using var way = TestedWay.Of(name);
        await using var hub = await HubProcess.StartAsync(name);
        await using var machine = await way.StartAsync("held-machine", hub.Address, "m", "Block", "100");
        using var channel = HubChannel.To(hub.Address);
        await using var senderEnd = new EventClient(channel, way.NewOptions()).InTime(out var sender);
        await sender.ConnectAsync().InTime();
        await way.RegisterAndOpenAsync(sender, "s", "m").InTime();
        var opened = way.Events;

        // While the machine is held up by its first event, the others arrive and are not handled.
        var held = SendAsync(sender, "HOLD", AcknowledgementLevel.Processed);
        Assert.Equal("held", await machine.ReadLineAsync());
        await SendAsync(sender, "A", AcknowledgementLevel.Accepted).InTime();
        await SendAsync(sender, "B", AcknowledgementLevel.Delivered).InTime();
        var processed = SendAsync(sender, "C", AcknowledgementLevel.Processed);
        var failed = SendAsync(sender, "FAIL", AcknowledgementLevel.Processed);
        var replied = sender.RequestAsync("s", "m", "REPORT");
        Assert.False(held.IsCompleted || processed.IsCompleted || failed.IsCompleted || replied.IsCompleted);

        await machine.WriteLineAsync("go");

        Assert.Equal("HOLD", (await held.InTime()).NewState);
        Assert.Equal("C", (await processed.InTime()).NewState);
        var failure = await Assert.ThrowsAsync<EventBusException>(() => failed.InTime());
        Assert.Equal(StatusCode.Unknown, failure.StatusCode);
        Assert.Contains("broken", failure.Message, StringComparison.Ordinal);
        var report = (await replied.InTime()).GetPayload<int[]>();
        Assert.Equal([0, 1, 2, 3], report!);
        await way.ExpectCarriedAsync(opened, atLeast: 4);
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("lane")]
    public async Task SendEvent_ToTheUnknownAndTheDead_FailsByItsName(string name)
    {
        using var way = TestedWay.Of(name);
        await using var hub = await HubProcess.StartAsync(name);
        await using var machine = await way.StartAsync("held-machine", hub.Address, "m", "Block", "100");
        using var channel = HubChannel.To(hub.Address);
        await using var senderEnd = new EventClient(channel, way.NewOptions()).InTime(out var sender);
        await sender.ConnectAsync().InTime();
        await way.RegisterAndOpenAsync(sender, "s", "m").InTime();
        var opened = way.Events;
        var unknown = await Assert.ThrowsAsync<EventBusException>(
            () => sender.SendEventAsync("s", "nobody", "E").InTime());
        Assert.Equal((StatusCode.NotFound, "nobody"), (unknown.StatusCode, unknown.MachineId));
        var waiting = SendAsync(sender, "HOLD", AcknowledgementLevel.Processed);
        Assert.Equal("held", await machine.ReadLineAsync());
        await way.ExpectCarriedAsync(opened);

        await machine.KillAsync();

        var told = await Assert.ThrowsAsync<EventBusException>(() => waiting.InTime());
        Assert.Equal((StatusCode.Unavailable, "m"), (told.StatusCode, told.MachineId));
        var dead = await Assert.ThrowsAsync<EventBusException>(() => sender.SendEventAsync("s", "m", "E").InTime());
        Assert.Equal((StatusCode.NotFound, "m"), (dead.StatusCode, dead.MachineId));
    }

    [Fact]
    public async Task Register_IdOfAMachineOfAnotherProcess_IsRefusedWhileThatLives()
    {
        await using var hub = await HubProcess.StartAsync("shm");
        await using var owner = await ChildProcess.StartAsync("held-machine", hub.Address, "m", "Block", "100");
        using var channel = HubChannel.To(hub.Address);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        await client.ConnectAsync().InTime();

        var taken = await Assert.ThrowsAsync<EventBusException>(
            () => client.SubscribeAsync("m", _ => Task.CompletedTask).InTime());
        Assert.Equal((StatusCode.AlreadyExists, "m"), (taken.StatusCode, taken.MachineId));
        Assert.Contains("'held'", taken.Message, StringComparison.Ordinal);

        // The hub notices the death before anybody could ask.
        var lost = new TaskCompletionSource<MachinePresence>();
        await client.SubscribeToMachinesAsync("m", presence =>
        {
            if (!presence.IsPresent)
            {
                lost.TrySetResult(presence);
            }

            return Task.CompletedTask;
        }).InTime();
        await owner.KillAsync();

        Assert.Equal(MachineChangeKind.Lost, (await lost.Task.InTime()).Change);
        await client.SubscribeAsync("m", _ => Task.CompletedTask).InTime();
    }

    private static Task<EventSendResult> SendAsync(EventClient sender, string name, AcknowledgementLevel level) =>
        sender.SendEventAsync(
            "s", "m", name, null, new EventSendOptions { Version = name[0] - 'A' + 1, Acknowledgement = level });
}
