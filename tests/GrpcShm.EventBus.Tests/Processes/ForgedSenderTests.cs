using System.Globalization;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>A process that gives itself out for another one must not take a word from it.</summary>
public sealed class ForgedSenderTests
{
    private const ulong Claimed = 7;

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    public async Task Send_ByAForgerWithTheLargestSequence_SilencesNobody(string transport)
    {
        await using var hub = await HubProcess.StartAsync(transport);
        using var channel = HubChannel.To(hub.Address);
        await using var receiverEnd = new EventClient(channel).InTime(out var receiver);
        await receiver.ConnectAsync().InTime();
        var inbox = await Client.ClientTest.ReceiveAsync(receiver, "m");
        using var observerChannel = HubChannel.To(hub.Address);
        await using var observer = new SessionClient(observerChannel);
        await HubTest.SubscribeAsync(observer, new Subscription { Number = 1, Machine = "m" });
        using var victimChannel = HubChannel.To(hub.Address);
        await using var victim = new SessionClient(victimChannel);
        await victim.ExecuteAsync(new SessionCommand { Open = new OpenSession { InstanceId = "victim-1" } }).InTime();
        await victim.ExecuteAsync(new SessionCommand { Register = new Registration { MachineId = "victim" } }).InTime();
        Assert.Equal(0, (await SendAsync(victim, 1)).StatusCode);
        Assert.Equal("1", (await inbox.ReadAsync().InTime()).EventName);

        // All that the other one can know: what the victim claims, and what receivers and observers see.
        var seen = (await observer.Deliveries.ReadAsync().InTime()).Event.Sender;
        await using var forger = await ChildProcess.StartAsync(
            "forger", hub.Address, "victim-1", "victim", "m", Text(Claimed), Text(seen));
        Assert.Equal("0 ", await forger.ReadLineAsync());
        Assert.Equal("0 ", await forger.ReadLineAsync());
        Assert.Equal("7 victim", await forger.ReadLineAsync());
        Assert.Equal("FORGED", (await inbox.ReadAsync().InTime()).EventName);
        Assert.Equal("FORGED", (await inbox.ReadAsync().InTime()).EventName);

        for (var sequence = 2; sequence <= 10; sequence++)
        {
            Assert.Equal(0, (await SendAsync(victim, sequence)).StatusCode);
            Assert.Equal(Text((ulong)sequence), (await inbox.ReadAsync().InTime()).EventName);
        }

        Assert.False(victim.Ended.IsCompleted);
    }

    private static Task<Outcome> SendAsync(SessionClient session, int sequence) =>
        session.ExecuteAsync(new SessionCommand
    {
        Send = new Event
        {
            Name = Text((ulong)sequence), Source = "victim", Target = "m", Sender = Claimed, Sequence = (ulong)sequence,
        },
        Acknowledgement = AcknowledgementLevel.Processed,
    }).InTime();

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);
}
