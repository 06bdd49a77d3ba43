using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

public sealed class MachineChangeTests : HubTest
{
    [Fact]
    public async Task Subscribe_ToMachines_NamesThoseThatAreThereAndThenWhoComesAndGoes()
    {
        await using var early = OpenSession();
        await early.ExecuteAsync(new SessionCommand { Open = new OpenSession { Name = "early bird" } }).InTime();
        await early.ExecuteAsync(
            new SessionCommand { Register = new Registration { MachineId = "tool-1", Groups = { "g" } } }).InTime();
        await using var other = await OpenMachineAsync("robot");
        await using var watcher = OpenSession();
        await SubscribeAsync(watcher, new Subscription { Number = 1, MachineChanges = "tool-*" });

        var present = await NextAsync(watcher);
        Assert.Equal((MachineChangeKind.Present, "tool-1"), (present.MachineChange.Kind, present.Source));
        Assert.Equal("early bird", present.MachineChange.Machine.Owner);
        Assert.Equal(["g"], present.MachineChange.Machine.Groups);
        Assert.Equal(MachineChangeKind.Complete, (await NextAsync(watcher)).MachineChange.Kind);

        var late = await OpenMachineAsync("tool-2");
        var registered = await NextAsync(watcher);
        Assert.Equal((MachineChangeKind.Registered, "tool-2"), (registered.MachineChange.Kind, registered.Source));

        await early.ExecuteAsync(new SessionCommand { Unregister = "tool-1" }).InTime();
        var unregistered = await NextAsync(watcher);
        Assert.Equal(
            (MachineChangeKind.Unregistered, "tool-1"), (unregistered.MachineChange.Kind, unregistered.Source));

        await late.DisposeAsync().InTime();
        var closed = await NextAsync(watcher);
        Assert.Equal((MachineChangeKind.Unregistered, "tool-2"), (closed.MachineChange.Kind, closed.Source));
        Assert.NotEmpty(closed.MachineChange.Reason);
    }

    [Fact]
    public async Task Subscribe_ToMachines_TellsOfOneWhoseConnectionBreaks()
    {
        await using var watcher = OpenSession();
        await SubscribeAsync(watcher, new Subscription { Number = 1, MachineChanges = "m" });
        Assert.Equal(MachineChangeKind.Complete, (await NextAsync(watcher)).MachineChange.Kind);
        using var channel = HubChannel.To(Address);
        await using var session = new SessionClient(channel);
        await SubscribeAsync(session, new Subscription { Number = 1, Inbox = "m" });
        Assert.Equal(MachineChangeKind.Registered, (await NextAsync(watcher)).MachineChange.Kind);

        channel.Dispose();

        var lost = await NextAsync(watcher);
        Assert.Equal(MachineChangeKind.Lost, lost.MachineChange.Kind);
        Assert.Contains("connection", lost.MachineChange.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unsubscribe_FromMachines_TellsNoMore()
    {
        await using var watcher = OpenSession();
        await SubscribeAsync(watcher, new Subscription { Number = 1, MachineChanges = "*" });
        Assert.Equal(MachineChangeKind.Complete, (await NextAsync(watcher)).MachineChange.Kind);

        await watcher.ExecuteAsync(new SessionCommand { Unsubscribe = 1 }).InTime();
        await SubscribeAsync(watcher, new Subscription { Number = 2, Inbox = "me" });
        await watcher.SendAsync(Send("me", "NEXT")).InTime();

        Assert.Equal("NEXT", (await NextAsync(watcher)).Name);
    }

    [Fact]
    public async Task Subscribe_ToMachinesWithBlock_IsInvalid()
    {
        await using var watcher = OpenSession();

        var outcome = await watcher.ExecuteAsync(new SessionCommand
        {
            Subscribe = new Subscription
            {
                Number = 1,
                MachineChanges = "*",
                Mailbox = new MailboxSettings { OverflowPolicy = OverflowPolicy.Block },
            },
        }).InTime();

        Assert.Equal((int)StatusCode.InvalidArgument, outcome.StatusCode);
    }

    [Fact]
    public async Task Send_EventThatTellsOfAMachine_IsInvalid()
    {
        await using var session = await OpenMachineAsync("m");
        var forged = Send("m");
        forged.Send.MachineChange = new MachineChange { Kind = MachineChangeKind.Lost };

        Assert.Equal((int)StatusCode.InvalidArgument, (await session.ExecuteAsync(forged).InTime()).StatusCode);
    }

    private static async Task<Event> NextAsync(SessionClient session) =>
        (await session.Deliveries.ReadAsync().InTime()).Event;
}
