using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;
using GrpcShm.EventBus.Tests.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Conformance;

/// <summary>
/// Each operation does the same for a client and for the hub's own process. A derived class says which of the two is
/// tested.
/// </summary>
public abstract partial class BusConformanceTests : ClientTest
{
    private static EventSendOptions Processed { get; } = new() { Acknowledgement = AcknowledgementLevel.Processed };

    private static CancellationToken None => CancellationToken.None;

    private static CancellationToken Cancelled => new(canceled: true);

    private ITestedBus Bus { get; set; } = null!;

    private protected abstract Task<ITestedBus> MakeBusAsync(Action<EventBusClientOptions>? configure = null);

    [Fact]
    public async Task Arguments_ThatAreNull_AreThrownAtTheCall()
    {
        Bus = await MakeBusAsync();
        Func<BusEvent, Task> handler = static _ => Task.CompletedTask;
        (string Name, Func<Task> Call)[] calls =
        [
            ("sourceMachineId", () => Bus.SendEventAsync(null!, "t", "E", null, None)),
            ("targetMachineId", () => Bus.SendEventAsync("s", null!, "E", null, Processed, None)),
            ("sourceMachineId", () => Bus.RequestAsync(null!, "t", "E", null, null, None)),
            ("targetMachineId", () => Bus.RequestAsync("s", null!, "E", null, null, None)),
            ("eventName", () => Bus.RequestAsync("s", "t", null!, null, null, None)),
            ("eventName", () => Bus.PublishAsync(null!, null)),
            ("machineId", () => Bus.PublishStateChangeAsync(null!, new MachineStateChange { NewState = "s" }, None)),
            ("change", () => Bus.PublishStateChangeAsync("m", null!, None)),
            ("machineId", () => Bus.SubscribeAsync(null!, handler, None)),
            ("handler", () => Bus.SubscribeAsync("m", null!, None)),
            ("machineId", () => Bus.SubscribeToMachineAsync(null!, handler, null, None)),
            ("machinePattern", () => Bus.SubscribeToStateChangesAsync(null!, handler, null, None)),
            ("group", () => Bus.SubscribeToGroupAsync(null!, handler, null, None)),
            ("pattern", () => Bus.SubscribeToPatternAsync(null!, handler, null, None)),
            ("handler", () => Bus.SubscribeToAllAsync(null!, null, None)),
            ("handler", () => Bus.SubscribeToMachinesAsync("*", null!, null, None)),
            ("machineId", () => Bus.WaitForMachineAsync(null!, None)),
        ];

        foreach (var (name, call) in calls)
        {
            Assert.Equal(name, Assert.Throws<ArgumentNullException>(() => { _ = call(); }).ParamName);
        }
    }

    [Fact]
    public async Task Calls_CancelledAlready_AreCancelledTasksAndDoNothing()
    {
        Bus = await MakeBusAsync();
        var seen = Channel.CreateUnbounded<BusEvent>();
        await Bus.SubscribeToAllAsync(received => seen.Writer.WriteAsync(received).AsTask(), null, None).InTime();
        Task[] calls =
        [
            Bus.SendEventAsync("s", "t", "E", null, Cancelled),
            Bus.SendEventAsync("s", "t", "E", null, Processed, Cancelled),
            Bus.RequestAsync("s", "t", "E", null, null, Cancelled),
            Bus.PublishAsync("E", null, Cancelled),
            Bus.PublishAsync("E", null, new EventPublishOptions(), Cancelled),
            Bus.PublishStateChangeAsync("m", new MachineStateChange { NewState = "s" }, Cancelled),
            Bus.SubscribeAsync("m", static _ => Task.CompletedTask, Cancelled),
        ];

        foreach (var call in calls)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.InTime());
        }

        await Bus.PublishAsync("NEXT", null).InTime();
        Assert.Equal("NEXT", (await seen.Reader.ReadAsync().InTime()).EventName);
    }

    [Fact]
    public async Task PublishStateChange_ReachesWhoSubscribedToThem_WithAllThatItCarries()
    {
        Bus = await MakeBusAsync();
        var changes = Channel.CreateUnbounded<BusEvent>();
        using var subscription = await Bus.SubscribeToStateChangesAsync(
            "oven-*", received => changes.Writer.WriteAsync(received).AsTask(), null, None).InTime();
        var change = new MachineStateChange { OldState = "cold", NewState = "hot", Transition = "HEAT", Context = 7 };

        Assert.Equal(0, await Bus.PublishStateChangeAsync("robot", change, None).InTime());
        Assert.Equal(1, await Bus.PublishStateChangeAsync("oven-1", change, None).InTime());
        var options = new EventSendOptions { Id = "id" };
        Assert.Equal(1, await Bus.PublishStateChangeAsync("oven-1", change, "payload", options, None).InTime());

        var first = await changes.Reader.ReadAsync().InTime();
        var second = await changes.Reader.ReadAsync().InTime();
        Assert.Equal(("oven-1", "HEAT"), (first.SourceMachineId, first.EventName));
        Assert.Equal(
            ("cold", "hot", 7), (first.StateChange!.OldState, first.StateChange.NewState, first.StateChange.Context));
        Assert.Equal(("payload", "id"), (second.Payload, second.Id));
    }

    [Fact]
    public async Task Subscriptions_OfEachKind_GetTheirCopiesUntilTheyEnd()
    {
        Bus = await MakeBusAsync();
        var copies = Channel.CreateUnbounded<string>();
        Func<BusEvent, Task> Copy(string kind) =>
            received => copies.Writer.WriteAsync($"{kind} {received.EventName}").AsTask();
        IDisposable[] subscriptions =
        [
            await Bus.SubscribeToMachineAsync("t", Copy("machine"), null, None).InTime(),
            await Bus.SubscribeToGroupAsync("g", Copy("group"), null, None).InTime(),
            await Bus.SubscribeToPatternAsync(new EventPattern { Name = "E*" }, Copy("pattern"), null, None).InTime(),
            await Bus.SubscribeToAllAsync(Copy("all"), null, None).InTime(),
        ];
        var other = await ConnectClientAsync();
        using var target = await other.RegisterMachineAsync("t", static _ => Task.CompletedTask).InTime();

        await Bus.SendEventAsync("s", "t", "E1", null, None).InTime();
        Assert.Equal(["all E1", "machine E1", "pattern E1"], await ReadAsync(copies, 3));
        Assert.Equal(2, await Bus.PublishAsync("P", null, new EventPublishOptions { Group = "g" }, None).InTime());
        Assert.Equal(["all P", "group P"], await ReadAsync(copies, 2));

        foreach (var subscription in subscriptions)
        {
            subscription.Dispose();
        }

        await TimeLimit.UntilAsync(async () => (await Bus.GetHubHealthAsync(None).InTime()).Subscriptions == 1);
        await Bus.SendEventAsync("s", "t", "E2", null, None).InTime();
        Assert.False(copies.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Subscribe_SeveralHandlersOfOneMachine_EachGetsTheEventAndTheLastOneUnregisters()
    {
        Bus = await MakeBusAsync();
        var handled = new ConcurrentQueue<string>();
        Func<BusEvent, Task> Handle(string name) => _ =>
        {
            handled.Enqueue(name);
            return Task.CompletedTask;
        };
        var first = await Bus.SubscribeAsync("m", Handle("first"), None).InTime();
        var second = await Bus.SubscribeAsync("m", Handle("second"), None).InTime();

        await Bus.SendEventAsync("s", "m", "E", null, Processed, None).InTime();
        first.Dispose();
        await Bus.SendEventAsync("s", "m", "E", null, Processed, None).InTime();
        second.Dispose();

        Assert.Equal(["first", "second", "second"], handled);
        await TimeLimit.UntilAsync(async () => (await Bus.GetHubHealthAsync(None).InTime()).Machines == 0);
        using var again = await Bus.RegisterMachineAsync("m", Handle("again"), null, None).InTime();
    }

    [Fact]
    public async Task RegisterMachine_ThatThisProcessHas_IsRefused()
    {
        Bus = await MakeBusAsync();
        using var machine = await Bus.SubscribeAsync("m", static _ => Task.CompletedTask, None).InTime();

        var taken = await FailsAsync(
            Bus.RegisterMachineAsync("m", static _ => Task.CompletedTask, null, None), StatusCode.AlreadyExists);

        Assert.Equal("m", taken.MachineId);
    }

    [Fact]
    public async Task Subscribe_ThatIsNotValid_IsRefusedByTheTaskAndLeavesNothing()
    {
        Bus = await MakeBusAsync();
        Func<BusEvent, Task> handler = static _ => Task.CompletedTask;
        var withGroup = new MachineOptions { Groups = ["g"] };
        var blocking = new MachineOptions { OverflowPolicy = OverflowPolicy.Block };

        await FailsAsync(Bus.SubscribeAsync("", handler, None), StatusCode.InvalidArgument);
        await FailsAsync(Bus.SubscribeToGroupAsync("", handler, null, None), StatusCode.InvalidArgument);
        await FailsAsync(Bus.SubscribeToGroupAsync("g", handler, withGroup, None), StatusCode.InvalidArgument);
        await FailsAsync(Bus.SubscribeToAllAsync(handler, blocking, None), StatusCode.PermissionDenied);

        Assert.Equal(0, (await Bus.GetHubHealthAsync(None).InTime()).Subscriptions);
    }

    [Fact]
    public async Task SubscribeToMachines_IsToldOfThoseThatAreThereAndOfThoseThatGo()
    {
        Bus = await MakeBusAsync();
        var told = Channel.CreateUnbounded<string>();
        var machine = await Bus.RegisterMachineAsync("m-1", static _ => Task.CompletedTask, null, None).InTime();
        using var watching = await Bus.SubscribeToMachinesAsync(
            "m-*", presence => told.Writer.WriteAsync($"{presence.MachineId} {presence.Change}").AsTask(), null, None)
            .InTime();

        Assert.Equal("m-1 Present", await told.Reader.ReadAsync().InTime());
        machine.Dispose();
        Assert.Equal("m-1 Unregistered", await told.Reader.ReadAsync().InTime());
    }

    [Fact]
    public async Task WaitForMachine_CompletesWhenItIsRegistered()
    {
        Bus = await MakeBusAsync();
        using var giveUp = new CancellationTokenSource();
        var waiting = Bus.WaitForMachineAsync("m", None);
        var inVain = Bus.WaitForMachineAsync("nobody", giveUp.Token);
        Assert.False(waiting.IsCompleted);

        var other = await ConnectClientAsync();
        using var machine = await other.RegisterMachineAsync("m", static _ => Task.CompletedTask).InTime();

        await waiting.InTime();
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => inVain.InTime());
        await TimeLimit.UntilAsync(async () => (await Bus.GetHubHealthAsync(None).InTime()).Subscriptions == 1);
    }

    [Fact]
    public async Task ListMachines_MoreThanOnePage_NamesEachOnceInOrder()
    {
        Bus = await MakeBusAsync();
        var other = await ConnectClientAsync();
        var ids = Enumerable.Range(0, 1005).Select(i => $"m-{i:0000}").ToArray();
        await Task.WhenAll(ids.Select(id => other.SubscribeAsync(id, static _ => Task.CompletedTask))).InTime();
        using var mine = await Bus.RegisterMachineAsync(
            "mine", static _ => Task.CompletedTask, new MachineOptions { Groups = ["g"] }, None).InTime();

        Assert.Equal(
            ids, await Bus.ListMachinesAsync("m-*", null, None).Select(machine => machine.MachineId).ToArrayAsync());
        var inGroup = Assert.Single(await Bus.ListMachinesAsync(null, "g", None).ToArrayAsync());
        Assert.Equal(("mine", true), (inGroup.MachineId, inGroup.IsSubscribed));
        var health = await Bus.GetHubHealthAsync(None).InTime();
        Assert.Equal((true, 1006), (health.IsServing, health.Machines));
    }

    [Fact]
    public async Task SendFailed_OfASendThatNobodyAwaits_IsRaisedOnceAndNotForEachRetry()
    {
        Bus = await MakeBusAsync();
        var failures = Channel.CreateUnbounded<EventSendFailure>();
        Bus.SendFailed += (_, failure) => failures.Writer.TryWrite(failure);

        _ = Bus.SendEventAsync("s", "nobody", "PLAIN", null, None);
        var plain = await failures.Reader.ReadAsync().InTime();
        await FailsAsync(Bus.SendEventAsync("s", "nobody", "RETRIED", null, Processed, None), StatusCode.NotFound);
        var retried = await failures.Reader.ReadAsync().InTime();

        Assert.Equal(("s", "nobody", "PLAIN"), (plain.SourceMachineId, plain.TargetMachineId, plain.EventName));
        Assert.Equal(StatusCode.NotFound, plain.Exception.StatusCode);
        Assert.Equal("RETRIED", retried.EventName);
        Assert.False(failures.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Send_ThatWaitsForMore_IsTriedAgainWhereItWasNotDelivered()
    {
        Bus = await MakeBusAsync();
        var other = await ConnectClientAsync();
        var sending = Bus.RequestAsync("s", "late", "E", null, null, None);

        using var late = await other.RegisterMachineAsync("late", received =>
        {
            received.Reply("answer");
            return Task.CompletedTask;
        }).InTime();

        Assert.Equal("answer", (await sending.InTime()).Payload);
    }

    [Fact]
    public async Task HandlerFailed_AndEventsLost_AreRaised()
    {
        Bus = await MakeBusAsync();
        var failed = new TaskCompletionSource<EventHandlerFailure>();
        var lost = new TaskCompletionSource<EventLoss>();
        Bus.HandlerFailed += (_, failure) => failed.TrySetResult(failure);
        Bus.EventsLost += (_, loss) => lost.TrySetResult(loss);
        var held = new TaskCompletionSource();
        var other = await ConnectClientAsync();
        var options = new MachineOptions { MailboxCapacity = 1, OverflowPolicy = OverflowPolicy.DropNewest };
        using var machine = await Bus.RegisterMachineAsync(
            "m",
            async received =>
            {
                await held.Task;
                throw new InvalidOperationException("broken");
            },
            options,
            None).InTime();

        for (var i = 0; i < 20; i++)
        {
            await other.SendEventAsync("s", "m", "E").InTime();
        }

        held.SetResult();

        Assert.Equal("broken", (await failed.Task.InTime()).Exception.Message);
        var loss = await lost.Task.InTime();
        Assert.Equal("m", loss.Subscription);
        Assert.InRange(loss.Dropped, 1, 19);
    }

    [Fact]
    public async Task Pause_HoldsEventsBackInOrder()
    {
        Bus = await MakeBusAsync();
        var events = Channel.CreateUnbounded<string>();
        var other = await ConnectClientAsync();
        using var subscription = (BusSubscription)await Bus.SubscribeAsync(
            "m", received => events.Writer.WriteAsync(received.EventName).AsTask(), None).InTime();

        subscription.Pause();
        subscription.Pause();
        Assert.True(subscription.IsPaused);
        for (var i = 0; i < 3; i++)
        {
            await other.SendEventAsync("s", "m", $"E{i}").InTime();
        }

        var later = other.SendEventAsync("s", "m", "LAST", null, Processed);
        Assert.False(events.Reader.TryRead(out _));
        subscription.Resume();

        await later.InTime();
        Assert.Equal(["E0", "E1", "E2", "LAST"], await events.Reader.ReadAllAsync().Take(4).ToArrayAsync());
    }

    [Fact]
    public async Task Send_MoreThanMayWait_IsRefusedAtOnceAndTheOthersGoOn()
    {
        Bus = await MakeBusAsync(options => options.MaxPendingSends = 2);
        var held = new TaskCompletionSource();
        var begun = new TaskCompletionSource();
        var other = await ConnectClientAsync();
        using var machine = await other.RegisterMachineAsync("m", async _ =>
        {
            begun.TrySetResult();
            await held.Task;
        }).InTime();
        Task[] waiting =
        [
            Bus.SendEventAsync("s", "m", "E", null, Processed, None),
            Bus.SendEventAsync("s", "m", "E", null, Processed, None),
        ];
        await begun.Task.InTime();
        Assert.Equal(2, Bus.PendingSends);

        var refused = await FailsAsync(Bus.SendEventAsync("s", "m", "E", null, None), StatusCode.ResourceExhausted);

        Assert.Equal(
            "2 sends wait for an answer already. Await some of them, or allow more by MaxPendingSends.",
            refused.Message);
        held.SetResult();
        await Task.WhenAll(waiting).InTime();
        await Bus.SendEventAsync("s", "m", "E", null, None).InTime();
        Assert.Equal(0, Bus.PendingSends);
    }

    [Fact]
    public async Task Send_MoreThanMayWaitForRoom_IsRefusedAtOnceAndTheOthersArrive()
    {
        Bus = await MakeBusAsync(options => options.MaxPendingSends = 2);
        var held = new TaskCompletionSource();
        var events = Channel.CreateUnbounded<string>();
        var other = await ConnectClientAsync();
        using var machine = await other.RegisterMachineAsync(
            "m",
            async received =>
            {
                await events.Writer.WriteAsync(received.EventName);
                await held.Task;
            },
            new MachineOptions { MailboxCapacity = 1 }).InTime();
        await Bus.SendEventAsync("s", "m", "HANDLED", null, None).InTime();
        Assert.Equal("HANDLED", await events.Reader.ReadAsync().InTime());
        await Bus.SendEventAsync("s", "m", "IN-MAILBOX", null, None).InTime();
        Task[] waiting =
        [
            Bus.SendEventAsync("s", "m", "WAITS-1", null, None), Bus.SendEventAsync("s", "m", "WAITS-2", null, None),
        ];

        await FailsAsync(Bus.SendEventAsync("s", "m", "TOO-MUCH", null, None), StatusCode.ResourceExhausted);
        await FailsAsync(Bus.PublishAsync("TOO-MUCH", null), StatusCode.ResourceExhausted);

        Assert.Equal(2, Bus.PendingSends);
        held.SetResult();
        await Task.WhenAll(waiting).InTime();
        Assert.Equal(
            ["IN-MAILBOX", "WAITS-1", "WAITS-2"], await events.Reader.ReadAllAsync().Take(3).ToArrayAsync());
        Assert.False(events.Reader.TryRead(out _));
    }

    private static async Task<string[]> ReadAsync(Channel<string> channel, int count)
    {
        var texts = new string[count];
        for (var i = 0; i < count; i++)
        {
            texts[i] = await channel.Reader.ReadAsync().InTime();
        }

        return [.. texts.Order(StringComparer.Ordinal)];
    }
}
