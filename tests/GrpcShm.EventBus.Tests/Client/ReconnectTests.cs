using System.Threading.Channels;
using Grpc.Core;
using Grpc.Core.Interceptors;
using GrpcShm.EventBus.Service;
using GrpcShm.EventBus.TestProcess;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.Retry;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>The hub goes away and comes back while clients stay.</summary>
public sealed class ReconnectTests : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private HubServer _hub = null!;

    public async ValueTask InitializeAsync() => _hub = await HubServer.StartAsync(_directory.Socket);

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync().InTime();
        _directory.Dispose();
    }

    [Fact]
    public async Task HubRestarts_MachinesGroupsAndObservers_AreRestored()
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(
            channel, new EventBusClientOptions { DeliverLocally = false }).InTime(out var client);
        var states = await ConnectAsync(client);
        var inbox = await ClientTest.ReceiveAsync(client, "m", new MachineOptions { Groups = ["g"] });
        var observed = Channel.CreateUnbounded<string>();
        await client.SubscribeToAllAsync(received => observed.Writer.WriteAsync(received.EventName).AsTask()).InTime();

        await RestartAsync(states);
        Assert.Equal(2, await client.PublishAsync("TO-GROUP", null, new EventPublishOptions { Group = "g" }).InTime());

        Assert.Equal("TO-GROUP", (await inbox.ReadAsync().InTime()).EventName);
        Assert.Equal("TO-GROUP", await observed.Reader.ReadAsync().InTime());
    }

    [Theory]
    [InlineData(4)]
    [InlineData(2)]
    [InlineData(0)]
    public async Task HubRestarts_AgainAndAgainWhileAMachineIsPaused_ItGetsNoMoreThanItHasRoomFor(int eachTime)
    {
        const int window = 4;
        const int restarts = 4;
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(
            channel, new EventBusClientOptions { ReceiveWindow = window }).InTime(out var client);
        var states = await ConnectAsync(client);
        var handled = Channel.CreateUnbounded<string>();
        var subscription = (BusSubscription)await client.RegisterMachineAsync(
            "m", received => handled.Writer.WriteAsync(received.EventName).AsTask()).InTime();
        var fence = await ClientTest.ReceiveAsync(client, "fence");
        subscription.Pause();
        var contract = new XStateNet.Events.V1.EventBus.EventBusClient(channel);
        var expected = new List<string>();
        var here = 0;
        for (var restart = 0; restart <= restarts; restart++)
        {
            if (restart > 0)
            {
                await RestartAsync(states);
            }

            // The last time more than there could ever be room for.
            var count = restart == restarts ? 20 : eachTime;
            for (var i = 0; i < count; i++)
            {
                await SendAsync("m", $"{restart}.{i}");
            }

            // Written behind what the hub may write of the others.
            await SendAsync("fence", "FENCE");
            await fence.ReadAsync().InTime();
            var taken = Math.Min(count, window - here);
            here += taken;
            var machines = await contract.ListMachinesAsync(
                new ListMachinesRequest { MachinePattern = "m" }).ResponseAsync.InTime();
            Assert.Equal((uint)(count - taken), Assert.Single(machines.Machines).Waiting);

            // What the hub that goes had not written goes with it.
            expected.AddRange(Enumerable.Range(0, restart == restarts ? count : taken).Select(i => $"{restart}.{i}"));
        }

        subscription.Resume();

        foreach (var name in expected)
        {
            Assert.Equal(name, await handled.Reader.ReadAsync().InTime());
        }

        async Task SendAsync(string target, string name) => await contract.SendAsync(
            new SendRequest { Event = new Event { Name = name, Target = target } }).ResponseAsync.InTime();
    }

    [Fact]
    public async Task HubIsAway_WhatIsSentMeanwhile_ArrivesInOrderWhenItIsBack()
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(
            channel, new EventBusClientOptions { DeliverLocally = false, ConnectPipeline = Patient() })
            .InTime(out var client);
        var states = await ConnectAsync(client);
        var inbox = await ClientTest.ReceiveAsync(client, "m");

        await _hub.DisposeAsync().InTime();
        await WaitForAsync(states, EventBusConnectionState.Reconnecting);
        var sends = Enumerable.Range(0, 1000).Select(i => client.SendEventAsync("s", "m", $"{i}")).ToArray();
        _hub = await HubServer.StartAsync(_directory.Socket);

        for (var i = 0; i < sends.Length; i++)
        {
            Assert.Equal($"{i}", (await inbox.ReadAsync().InTime()).EventName);
        }

        await Task.WhenAll(sends).InTime();
    }

    [Fact]
    public async Task HubGoesAway_RequestThatWaits_IsUnavailable()
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(
            channel, new EventBusClientOptions { DeliverLocally = false }).InTime(out var client);
        await ConnectAsync(client);
        var asked = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await client.RegisterMachineAsync("m", _ =>
        {
            asked.SetResult();
            return release.Task;
        }).InTime();
        var request = client.RequestAsync("s", "m", "ASK");
        await asked.Task.InTime();

        await _hub.DisposeAsync().InTime();

        await ClientTest.FailsAsync(request, StatusCode.Unavailable);
        release.SetResult();
        _hub = await HubServer.StartAsync(_directory.Socket);
    }

    [Fact]
    public async Task HubStops_Client_IsToldThatItStopsAndNotThatSomethingBroke()
    {
        _hub.Services.GetRequiredService<HubCore>().Options.SessionClosingTime = TimeLimit.Value;
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        var reason = new TaskCompletionSource<Exception?>();
        client.ConnectionChanged += (_, change) =>
        {
            if (change.State == EventBusConnectionState.Reconnecting)
            {
                reason.TrySetResult(change.Reason);
            }
        };
        await client.ConnectAsync().InTime();

        await _hub.StopAsync().InTime();

        var told = Assert.IsType<EventBusException>(await reason.Task.InTime());
        Assert.Equal(StatusCode.Unavailable, told.StatusCode);
        Assert.Contains("stopping", told.Message, StringComparison.Ordinal);
        await _hub.DisposeAsync().InTime();
        _hub = await HubServer.StartAsync(_directory.Socket);
    }

    [Fact]
    public async Task Disconnect_AfterSendsThatNobodyAwaited_TheyArriveAndAreAnswered()
    {
        const int count = 1000;
        using var channel = HubChannel.To(_directory.Socket);
        await using var receiverEnd = new EventClient(channel).InTime(out var receiver);
        await receiver.ConnectAsync().InTime();
        var inbox = await ClientTest.ReceiveAsync(receiver, "m");
        for (var round = 0; round < 20; round++)
        {
            await using var senderEnd = new EventClient(
                channel, new EventBusClientOptions { ClosingTime = TimeLimit.Value }).InTime(out var sender);
            await sender.ConnectAsync().InTime();
            var sends = Enumerable.Range(0, count).Select(i => sender.SendEventAsync("s", "m", $"{i}")).ToArray();

            await sender.DisconnectAsync().InTime();

            await Task.WhenAll(sends).InTime();
            for (var i = 0; i < count; i++)
            {
                Assert.Equal($"{i}", (await inbox.ReadAsync().InTime()).EventName);
            }
        }
    }

    [Fact]
    public async Task HubRestarts_WatcherOfMachines_IsToldWhoHasGoneMeanwhile()
    {
        using var channel = HubChannel.To(_directory.Socket);
        using var otherChannel = HubChannel.To(_directory.Socket);
        await using var watcherEnd = new EventClient(channel).InTime(out var watcher);
        var once = new FailingSessions(static attempt =>
            attempt == 1 ? null : new Status(StatusCode.Unavailable, "This client does not come back."));
        await using var otherEnd = new EventClient(
            new XStateNet.Events.V1.EventBus.EventBusClient(otherChannel.Intercept(once)),
            new EventBusClientOptions { ConnectPipeline = ResiliencePipeline.Empty }).InTime(out var other);
        var states = await ConnectAsync(watcher);
        await other.ConnectAsync().InTime();
        await ClientTest.ReceiveAsync(watcher, "stays");
        await ClientTest.ReceiveAsync(other, "goes");
        var presences = Channel.CreateUnbounded<MachinePresence>();
        await watcher.SubscribeToMachinesAsync(
            "*", presence => presences.Writer.WriteAsync(presence).AsTask()).InTime();
        Assert.True((await presences.Reader.ReadAsync().InTime()).IsPresent);
        Assert.True((await presences.Reader.ReadAsync().InTime()).IsPresent);

        await RestartAsync(states);

        // The one that stays is there again before the watcher is; it need not be named again.
        var gone = await presences.Reader.ReadAsync().InTime();
        while (gone.MachineId == "stays")
        {
            gone = await presences.Reader.ReadAsync().InTime();
        }

        Assert.Equal(("goes", MachineChangeKind.Lost), (gone.MachineId, gone.Change));
    }

    [Fact]
    public async Task HubStaysAway_BreakerOpens_SendsFailAtOnce()
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        var states = await ConnectAsync(client);
        await _hub.DisposeAsync().InTime();
        await WaitForAsync(states, EventBusConnectionState.Reconnecting);

        // Until the breaker opens sends wait for the connection, as many as may.
        Exception? failure = null;
        await TimeLimit.UntilAsync(() =>
        {
            failure = client.SendEventAsync("s", "m", "E").Exception?.InnerException;
            return failure is EventBusException { StatusCode: StatusCode.Unavailable };
        });

        Assert.StartsWith(
            "The last attempts to reach the hub failed. The event was not sent. The last failure was: ",
            failure!.Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("There is no connection", failure.Message, StringComparison.Ordinal);
        Assert.IsNotType<EventBusException>(failure.InnerException);
        _hub = await HubServer.StartAsync(_directory.Socket);
    }

    [Fact]
    public async Task Connect_NoHub_IsUnavailableWithinItsTime()
    {
        using var channel = HubChannel.To(_directory.Socket + ".nobody");
        await using var clientEnd = new EventClient(
            channel, new EventBusClientOptions { ConnectTimeout = TimeSpan.FromMilliseconds(300) })
            .InTime(out var client);

        await ClientTest.FailsAsync(client.ConnectAsync(), StatusCode.Unavailable);

        Assert.Equal(EventBusConnectionState.Disconnected, client.State);
    }

    [Fact]
    public async Task Deliver_TheSameSequenceTwice_IsHandledOnce()
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        await ConnectAsync(client);
        var inbox = await ClientTest.ReceiveAsync(client, "m");
        await using var session = new SessionClient(channel);
        var repeated = new Event { Name = "ONCE", Source = "s", Target = "m", Sender = 7, Sequence = 5 };
        var next = new Event { Name = "NEXT", Source = "s", Target = "m", Sender = 7, Sequence = 6 };

        await session.SendAsync(
            new SessionCommand { Send = repeated }, new SessionCommand { Send = repeated }).InTime();
        var outcome = await session.ExecuteAsync(
            new SessionCommand { Send = repeated, Acknowledgement = AcknowledgementLevel.Processed }).InTime();
        await session.SendAsync(new SessionCommand { Send = next }).InTime();

        Assert.Equal(0, outcome.StatusCode);
        Assert.Equal("ONCE", (await inbox.ReadAsync().InTime()).EventName);
        Assert.Equal("NEXT", (await inbox.ReadAsync().InTime()).EventName);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Deliver_TheSameSequenceByTheNextSessionOfTheInstance_IsHandledOnce(bool hubRestarts)
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        var states = await ConnectAsync(client);
        var inbox = await ClientTest.ReceiveAsync(client, "m");
        var repeated = new Event { Name = "ONCE", Target = "m", Sender = 7, Sequence = 5 };
        var next = new Event { Name = "NEXT", Target = "m", Sender = 7, Sequence = 6 };
        using var senderChannel = HubChannel.To(_directory.Socket);
        await using (var session = await OpenAsync(senderChannel, "process-1"))
        {
            await session.SendAsync(new SessionCommand { Send = repeated }).InTime();
            await session.CompletedAsync().InTime();
        }

        if (hubRestarts)
        {
            await RestartAsync(states);
        }

        await using var resumed = await OpenAsync(senderChannel, "process-1");
        await resumed.SendAsync(new SessionCommand { Send = repeated }, new SessionCommand { Send = next }).InTime();

        Assert.Equal("ONCE", (await inbox.ReadAsync().InTime()).EventName);
        Assert.Equal("NEXT", (await inbox.ReadAsync().InTime()).EventName);
    }

    [Fact]
    public async Task Deliver_TheSameSequenceTwice_WhoseHandlerFailed_FailsAgain()
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        await ConnectAsync(client);
        var handled = 0;
        await client.RegisterMachineAsync("m", _ =>
        {
            handled++;
            throw new InvalidOperationException("refused");
        }).InTime();
        await using var session = new SessionClient(channel);
        var refused = new Event { Name = "REFUSED", Source = "s", Target = "m", Sender = 7, Sequence = 5 };
        var command = new SessionCommand { Send = refused, Acknowledgement = AcknowledgementLevel.Processed };

        var first = await session.ExecuteAsync(command).InTime();
        var second = await session.ExecuteAsync(command.Clone()).InTime();

        Assert.Equal((int)StatusCode.Unknown, first.StatusCode);
        Assert.Equal((int)StatusCode.Unknown, second.StatusCode);
        Assert.Contains("refused", second.Message, StringComparison.Ordinal);
        Assert.Equal(1, handled);
    }

    private static async Task<SessionClient> OpenAsync(HubChannel channel, string instanceId)
    {
        var session = new SessionClient(channel);
        await session.ExecuteAsync(new SessionCommand { Open = new OpenSession { InstanceId = instanceId } }).InTime();
        return session;
    }

    private static ResiliencePipeline Patient() => new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions { MaxRetryAttempts = 1000, Delay = TimeSpan.FromMilliseconds(20) })
        .Build();

    private static async Task<ChannelReader<EventBusConnectionState>> ConnectAsync(EventClient client)
    {
        var states = Channel.CreateUnbounded<EventBusConnectionState>();
        client.ConnectionChanged += (_, change) => states.Writer.TryWrite(change.State);
        await client.ConnectAsync().InTime();
        await WaitForAsync(states.Reader, EventBusConnectionState.Connected);
        return states.Reader;
    }

    private static async Task WaitForAsync(
        ChannelReader<EventBusConnectionState> states, EventBusConnectionState wanted)
    {
        while (await states.ReadAsync().InTime() != wanted)
        {
        }
    }

    private async Task RestartAsync(ChannelReader<EventBusConnectionState> states)
    {
        await _hub.DisposeAsync().InTime();
        _hub = await HubServer.StartAsync(_directory.Socket);
        await WaitForAsync(states, EventBusConnectionState.Reconnecting);
        await WaitForAsync(states, EventBusConnectionState.Connected);
    }
}
