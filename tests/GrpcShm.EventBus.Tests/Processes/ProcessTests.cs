using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Processes;

public sealed class ProcessTests : HubTest
{
    [Fact]
    public async Task Send_FromTwoProcesses_ArrivesInOrderForEachSender()
    {
        const int count = 20_000;
        await using var receiver = await OpenMachineAsync("m");
        await using var first = await ChildProcess.StartAsync("sender", Server.Socket, "first", "m", $"{count}");
        await using var second = await ChildProcess.StartAsync("sender", Server.Socket, "second", "m", $"{count}");

        var next = new Dictionary<string, uint> { ["first"] = 0, ["second"] = 0 };
        for (var i = 0; i < 2 * count; i++)
        {
            var received = (await receiver.Deliveries.ReadAsync().InTime()).Event;
            Assert.Equal(next[received.Source]++, received.Version);
        }

        Assert.Equal("done", await first.ReadLineAsync());
        Assert.Equal("done", await second.ReadLineAsync());
        Assert.Equal(0, await first.EndAsync());
        Assert.Equal(0, await second.EndAsync());
    }

    [Fact]
    public async Task Kill_Subscriber_TellsWaitersAndUnregistersItsMachineAtOnce()
    {
        await using var child = await ChildProcess.StartAsync("machine", Server.Socket, "m", "p1");
        var waiting = Client.SendAsync(
            new SendRequest { Event = NewEvent("m"), Acknowledgement = AcknowledgementLevel.Processed });
        Assert.Equal("event E", await child.ReadLineAsync());

        await child.KillAsync();

        await FailsAsync(waiting, StatusCode.Unavailable);
        var exception = await FailsAsync(
            Client.SendAsync(new SendRequest { Event = NewEvent("m") }), StatusCode.NotFound);
        Assert.Contains("'m'", exception.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restart_AfterAKill_TakesTheMachineOver()
    {
        await using var killed = await ChildProcess.StartAsync("machine", Server.Socket, "m", "p1");
        var waiting = Client.SendAsync(
            new SendRequest { Event = NewEvent("m"), Acknowledgement = AcknowledgementLevel.Processed });
        Assert.Equal("event E", await killed.ReadLineAsync());
        await killed.KillAsync();
        await FailsAsync(waiting, StatusCode.Unavailable);

        await using var successor = await ChildProcess.StartAsync("machine", Server.Socket, "m", "p2");
        await Client.SendAsync(new SendRequest { Event = NewEvent("m", "AGAIN") }).ResponseAsync.InTime();

        Assert.Equal("event AGAIN", await successor.ReadLineAsync());
    }

    [Fact]
    public async Task Kill_Hub_EndsSessionsAndASuccessorServesTheSameMachines()
    {
        using var directory = new TempDirectory();
        await using var hub = await ChildProcess.StartAsync("hub", directory.Socket);
        using var channel = HubChannel.To(directory.Socket);
        await using var session = new SessionClient(channel);
        await SubscribeAsync(session, new Subscription { Number = 1, Inbox = "m" });

        await hub.KillAsync();

        var ended = Assert.IsType<RpcException>(await session.Ended.InTime());
        Assert.Equal(StatusCode.Unavailable, ended.StatusCode);
        File.Delete(directory.Socket);
        await using var successor = await ChildProcess.StartAsync("hub", directory.Socket);
        await using var again = new SessionClient(channel);
        await SubscribeAsync(again, new Subscription { Number = 1, Inbox = "m" });
        await again.SendAsync(Send("m", "AGAIN")).InTime();
        Assert.Equal("AGAIN", (await again.Deliveries.ReadAsync().InTime()).Event.Name);
    }
}
