using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>Hub, receiver and sender are three processes; the receiver is held up until its mailbox is full.</summary>
public sealed class PolicyProcessTests
{
    private const int Capacity = 10;
    private const int Count = 100;

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("lane")]
    public async Task Block_ReceiverIsHeldUp_SendersWaitAndAllArrivesInOrder(string name)
    {
        using var way = TestedWay.Of(name);
        await using var scene = await Scene.StartAsync(name, OverflowPolicy.Block, way);
        var before = way.Events;

        var sends = scene.SendAll();
        await sends[0].InTime();
        Assert.False(sends[^1].IsCompleted);
        await way.ExpectCarriedAsync(before);
        await scene.ReleaseAsync();
        await Task.WhenAll(sends).InTime();

        var (lost, handled) = await scene.ReportAsync();
        Assert.Equal(0, lost);
        Assert.Equal(Enumerable.Range(0, Count), handled);
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    public async Task DropOldest_ReceiverIsHeldUp_TheNewestArriveAndTheLossIsTold(string transport)
    {
        using var way = TestedWay.Of(transport);
        await using var scene = await Scene.StartAsync(transport, OverflowPolicy.DropOldest, way);

        await Task.WhenAll(scene.SendAll()).InTime();
        await scene.ReleaseAsync();

        var (lost, handled) = await scene.ReportAsync(tellsOfAll: true).InTime();
        Assert.Equal(Count - handled.Length, lost);
        Assert.True(lost > 0);
        Assert.Equal(Enumerable.Range(Count - Capacity, Capacity), handled[^Capacity..]);
        Assert.Equal(handled.Order(), handled);
        Assert.Equal(lost, (await scene.Sender.GetHubHealthAsync().InTime()).EventsDropped);
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    public async Task DropNewest_ReceiverIsHeldUp_TheOldestArriveAndTheLossIsTold(string transport)
    {
        using var way = TestedWay.Of(transport);
        await using var scene = await Scene.StartAsync(transport, OverflowPolicy.DropNewest, way);

        await Task.WhenAll(scene.SendAll()).InTime();
        await scene.ReleaseAsync();

        var (lost, handled) = await scene.ReportAsync(tellsOfAll: true).InTime();

        // On a busy machine the hub may hand an event on after it has dropped some: then the next one finds room.
        Assert.Equal(Enumerable.Range(0, Capacity), handled[..Capacity]);
        Assert.Equal(handled.Order(), handled);
        Assert.InRange(handled.Length, Capacity, Count - 1);
        Assert.Equal(Count - handled.Length, lost);
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    public async Task Grow_ReceiverIsHeldUp_SendersAreRefusedAtTheLimitAndNothingAcceptedIsLost(string transport)
    {
        using var way = TestedWay.Of(transport);
        await using var scene = await Scene.StartAsync(transport, OverflowPolicy.Grow, way);

        var accepted = new List<int>();
        foreach (var (send, number) in scene.SendAll().Select((send, number) => (send, number)))
        {
            try
            {
                await send.InTime();
                accepted.Add(number);
            }
            catch (EventBusException exception)
            {
                Assert.Equal(StatusCode.ResourceExhausted, exception.StatusCode);
                Assert.Equal("m", exception.MachineId);
            }
        }

        await scene.ReleaseAsync();
        var (lost, handled) = await scene.ReportAsync();
        Assert.Equal(0, lost);
        Assert.Equal(accepted, handled);
        Assert.InRange(handled.Length, Capacity, Count - 1);
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("lane")]
    public async Task AnyPolicy_ReceiverIsHeldUp_OthersOfTheSameHubAreNotDelayed(string name)
    {
        using var way = TestedWay.Of(name);
        using var wayOfBystander = TestedWay.Of(name);
        await using var scene = await Scene.StartAsync(name, OverflowPolicy.Block, way);
        await using var other = await way.StartAsync("counting-receiver", scene.Address, "other");
        using var channel = HubChannel.To(scene.Address);
        await using var bystanderEnd = new EventClient(channel, wayOfBystander.NewOptions()).InTime(out var bystander);
        await bystander.ConnectAsync().InTime();
        await wayOfBystander.RegisterAndOpenAsync(bystander, "b", "other").InTime();
        var opened = wayOfBystander.Events;
        var blocked = scene.SendAll();

        for (var number = 0; number < 50; number++)
        {
            var options = new EventSendOptions { Version = number, Acknowledgement = AcknowledgementLevel.Processed };
            await bystander.SendEventAsync("b", "other", "N", null, options).InTime();
        }

        await wayOfBystander.ExpectCarriedAsync(opened, atLeast: 50);
        Assert.False(blocked[^1].IsCompleted);
        await scene.ReleaseAsync();
        await Task.WhenAll(blocked).InTime();
    }

    /// <summary>The hub, the machine 'm' that is held up, and the sender.</summary>
    private sealed class Scene(
        HubProcess hub, ChildProcess machine, HubChannel channel, EventClient sender)
        : IAsyncDisposable
    {
        public EventClient Sender => sender;

        public string Address => hub.Address;

        /// <summary>Starts hub and machine. The sender's way to the machine is open.</summary>
        public static async Task<Scene> StartAsync(string name, OverflowPolicy policy, EventWay way)
        {
            var hub = await HubProcess.StartAsync(name);
            var machine = await way.StartAsync("held-machine", hub.Address, "m", $"{policy}", $"{Capacity}");
            var channel = HubChannel.To(hub.Address);
            var options = way.NewOptions();
            options.SendPipeline = Polly.ResiliencePipeline.Empty;
            var sender = new EventClient(channel, options);
            await sender.ConnectAsync().InTime();
            await way.RegisterAndOpenAsync(sender, "s", "m").InTime();
            await sender.SendEventAsync("s", "m", "HOLD").InTime();
            Assert.Equal("held", await machine.ReadLineAsync());
            return new Scene(hub, machine, channel, sender);
        }

        public Task[] SendAll() =>
            [.. Enumerable.Range(0, Count).Select(
                i => (Task)sender.SendEventAsync("s", "m", "N", null, new EventSendOptions { Version = i }))];

        public Task ReleaseAsync() => machine.WriteLineAsync("go");

        /// <summary>Asks the machine what it has handled.</summary>
        /// <param name="tellsOfAll">Whether to wait until it has been told of all losses: that comes beside its
        /// events.</param>
        public async Task<(int Lost, int[] Handled)> ReportAsync(bool tellsOfAll = false)
        {
            // The request is an event itself: in a full mailbox it would take the place of another one.
            var contract = new XStateNet.Events.V1.EventBus.EventBusClient(channel);
            var ofMachine = new ListMachinesRequest { MachinePattern = "m" };
            await TimeLimit.UntilAsync(
                async () => Assert.Single((await contract.ListMachinesAsync(ofMachine)).Machines).Waiting == 0);

            var (lost, handled) = (0, Array.Empty<int>());
            await TimeLimit.UntilAsync(async () =>
            {
                var report = (await sender.RequestAsync("s", "m", "REPORT")).GetPayload<int[]>()!;
                (lost, handled) = (report[0], report[1..]);
                return !tellsOfAll || lost >= Count - handled.Length;
            });
            return (lost, handled);
        }

        public async ValueTask DisposeAsync()
        {
            await sender.DisposeAsync().InTime();
            channel.Dispose();
            await machine.DisposeAsync();
            await hub.DisposeAsync();
        }
    }
}
