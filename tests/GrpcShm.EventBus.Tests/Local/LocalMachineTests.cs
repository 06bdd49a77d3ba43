using System.Text.Json;
using System.Threading.Channels;
using Grpc.Core;
using GrpcShm.EventBus.Tests.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Local;

/// <summary>Machines of the hub's own process: made and handled as those of a client are.</summary>
public sealed class LocalMachineTests : ClientTest
{
    private static EventSendOptions Processed { get; } = new() { Acknowledgement = AcknowledgementLevel.Processed };

    [Fact]
    public async Task Machine_OfTheHubsProcess_HandlesAsOneOfAClient()
    {
        var client = await ConnectClientAsync();
        Func<BusEvent, Task> handler = received =>
        {
            received.NewState = "after " + received.EventName;
            received.Reply(received.GetPayload<int>() + 1, received.IsRequest ? "ANSWER" : null);
            return Task.CompletedTask;
        };
        await using var local = await Server.Hub.RegisterMachineAsync("local", handler).InTime();
        using var remote = await client.RegisterMachineAsync("remote", handler).InTime();

        foreach (var machine in new[] { "local", "remote" })
        {
            var byClient = await client.RequestAsync("test", machine, "ASK", 41).InTime();
            var byHub = await Server.Hub.RequestAsync("test", machine, "ASK", 41).InTime();
            var state = await Server.Hub.SendEventAsync("test", machine, "SET", 1, Processed).InTime();

            Assert.Equal(
                ("ANSWER", 42, machine), (byClient.EventName, byClient.GetPayload<int>(), byClient.SourceMachineId));
            Assert.Equal(("ANSWER", 42, machine), (byHub.EventName, byHub.GetPayload<int>(), byHub.SourceMachineId));
            Assert.Equal(byHub.CausationId, byHub.CorrelationId);
            Assert.Equal("after SET", state.NewState);
        }
    }

    [Fact]
    public async Task Dispose_PausedWithEventsInHand_EndsAndTellsTheirSenders()
    {
        for (var round = 0; round < 20; round++)
        {
            var begun = new SemaphoreSlim(0);
            var mayEnd = new SemaphoreSlim(0);
            var machine = await Server.Hub.RegisterMachineAsync("local", async _ =>
            {
                begun.Release();
                await mayEnd.WaitAsync(TestContext.Current.CancellationToken);
            }).InTime();

            // The loop takes the other events at once when it has handled the first one.
            var first = Server.Hub.SendEventAsync("", "local", "FIRST", null, Processed);
            await begun.WaitAsync(TestContext.Current.CancellationToken).InTime();
            var second = Server.Hub.SendEventAsync("", "local", "SECOND", null, Processed);
            var third = Server.Hub.SendEventAsync("", "local", "THIRD", null, Processed);
            mayEnd.Release();
            await begun.WaitAsync(TestContext.Current.CancellationToken).InTime();
            machine.Pause();
            mayEnd.Release();
            await first.InTime();
            await second.InTime();

            await machine.DisposeAsync().InTime();

            var gone = await Assert.ThrowsAsync<EventBusException>(() => third.InTime());
            Assert.Equal(StatusCode.Unavailable, gone.StatusCode);
        }
    }

    [Fact]
    public async Task Register_GroupsThatCannotBeRead_FailsAndLeavesTheIdFree()
    {
        var options = new MachineOptions { Groups = ["a", null!] };
        Task<LocalMachine> Register(MachineOptions? with) =>
            Server.Hub.RegisterMachineAsync("local", static _ => Task.CompletedTask, with);

        await Assert.ThrowsAnyAsync<ArgumentException>(() => Register(options).InTime());

        await using var machine = await Register(null).InTime();
        await Server.Hub.SendEventAsync("", "local", "E", null, Processed).InTime();
    }

    [Fact]
    public async Task Request_ReplyIsTooLarge_FailsAndIsHandledOnce()
    {
        var handled = 0;
        await using var local = await Server.Hub.RegisterMachineAsync("local", received =>
        {
            handled++;
            received.Reply(new byte[new EventBusOptions().MaxEventSize]);
            return Task.CompletedTask;
        }).InTime();

        var failure = await Assert.ThrowsAsync<EventBusException>(
            () => Server.Hub.RequestAsync("", "local", "ASK").InTime());

        Assert.Equal(StatusCode.Internal, failure.StatusCode);
        Assert.Contains("MaxEventSize", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, handled);
    }

    [Fact]
    public async Task NewState_OfALocalMachine_StaysUntilItIsSetAgain()
    {
        var seen = new List<string?>();
        await using var local = await Server.Hub.RegisterMachineAsync("local", received =>
        {
            seen.Add(received.NewState);
            received.NewState = received.EventName == "SET" ? "set" : received.NewState;
            return Task.CompletedTask;
        }).InTime();

        foreach (var name in new[] { "SET", "OTHER" })
        {
            Assert.Equal(
                "set", (await Server.Hub.SendEventAsync("", "local", name, null, Processed).InTime()).NewState);
        }

        Assert.Equal([null, "set"], seen);
    }

    [Fact]
    public async Task Handler_OfALocalMachineThatThrows_IsTheSendersException()
    {
        var client = await ConnectClientAsync(options => options.SendPipeline = Polly.ResiliencePipeline.Empty);
        await using var local = await Server.Hub.RegisterMachineAsync(
            "local", _ => throw new InvalidOperationException("broken")).InTime();

        var byClient = await FailsAsync(client.RequestAsync("", "local", "E"), StatusCode.Unknown);
        var byHub = await FailsAsync(Server.Hub.RequestAsync("", "local", "E"), StatusCode.Unknown);

        Assert.Contains("broken", byClient.Message, StringComparison.Ordinal);
        Assert.Equal(byClient.Message, byHub.Message);
        Assert.Equal("local", byHub.MachineId);
    }

    [Fact]
    public async Task Request_ToALocalMachineThatDoesNotReply_FailsAsAClients()
    {
        await using var local = await Server.Hub.RegisterMachineAsync("local", _ => Task.CompletedTask).InTime();

        await FailsAsync(Server.Hub.RequestAsync("", "local", "E"), StatusCode.Internal);
    }

    [Fact]
    public async Task Request_ToAMachineThatIsSilent_FailsAfterItsTime()
    {
        var silent = new TaskCompletionSource();
        await using var local = await Server.Hub.RegisterMachineAsync("local", _ => silent.Task).InTime();

        await FailsAsync(
            Server.Hub.RequestAsync("", "local", "E", timeout: TimeSpan.FromMilliseconds(50)),
            StatusCode.DeadlineExceeded);
        silent.SetResult();
    }

    [Fact]
    public async Task Request_ToAMachineWithoutRoom_FailsAfterItsTime()
    {
        // The wait for room would take ten seconds.
        var silent = new TaskCompletionSource();
        var begun = new TaskCompletionSource();
        await using var local = await Server.Hub.RegisterMachineAsync(
            "local",
            _ =>
            {
                begun.TrySetResult();
                return silent.Task;
            },
            new MachineOptions { MailboxCapacity = 1 }).InTime();
        await Server.Hub.SendEventAsync("", "local", "E").InTime();
        await begun.Task.InTime();
        await Server.Hub.SendEventAsync("", "local", "E").InTime();

        await FailsAsync(
            Server.Hub.RequestAsync("", "local", "E", timeout: TimeSpan.FromMilliseconds(50)),
            StatusCode.DeadlineExceeded);

        // Who gives up instead is told of its own token, whatever it waits for.
        using var giveUp = new CancellationTokenSource();
        Task[] given =
        [
            Server.Hub.SendEventAsync("", "local", "E", null, giveUp.Token),
            Server.Hub.SendEventAsync("", "local", "E", null, Processed, giveUp.Token),
        ];
        await giveUp.CancelAsync();
        foreach (var send in given)
        {
            var exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => send.InTime());
            Assert.Equal(giveUp.Token, exception.CancellationToken);
        }

        silent.SetResult();
    }

    [Fact]
    public async Task Dispose_ByTheHandlerWithEventsWaiting_HandlesNoFurtherOne()
    {
        var handled = 0;
        var allAreSent = new TaskCompletionSource();
        LocalMachine? machine = null;
        machine = await Server.Hub.RegisterMachineAsync("local", async _ =>
        {
            if (++handled == 1)
            {
                // The others are taken together, when this one has been handled.
                await allAreSent.Task;
            }
            else
            {
                machine!.Dispose();
            }
        }).InTime();
        var first = Server.Hub.SendEventAsync("", "local", "E", null, Processed);
        var others = Enumerable.Range(0, 20)
            .Select(_ => Server.Hub.SendEventAsync("", "local", "E", null, Processed))
            .ToList();
        allAreSent.SetResult();

        await first.InTime();
        foreach (var other in others)
        {
            await FailsAsync(other, StatusCode.Unavailable);
        }

        await machine.DisposeAsync().InTime();
        Assert.Equal(2, handled);
    }

    [Fact]
    public async Task Request_OfHandlersThatWouldWaitForEachOther_IsRefused()
    {
        var client = await ConnectClientAsync(options => options.SendPipeline = Polly.ResiliencePipeline.Empty);
        var refused = new TaskCompletionSource<EventBusException>();
        await using var local = await Server.Hub.RegisterMachineAsync(
            "local", received => Server.Hub.RequestAsync("local", "remote", received.EventName)).InTime();
        using var remote = await client.RegisterMachineAsync("remote", async received =>
        {
            refused.SetResult(
                await FailsAsync(client.RequestAsync("remote", "local", "BACK"), StatusCode.FailedPrecondition));
            received.Reply();
        }).InTime();

        await Server.Hub.SendEventAsync("", "local", "GO").InTime();

        Assert.Contains("'local'", (await refused.Task.InTime()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_ToItselfFromItsHandler_IsRefused_AndAfterwardsNothingIsLeft()
    {
        var failures = Channel.CreateUnbounded<EventBusException>();
        await using var local = await Server.Hub.RegisterMachineAsync("local", async _ => failures.Writer.TryWrite(
            await FailsAsync(Server.Hub.RequestAsync("local", "local", "SELF"), StatusCode.FailedPrecondition)))
            .InTime();
        await using var other = await Server.Hub.RegisterMachineAsync("other", received =>
        {
            received.Reply();
            return Task.CompletedTask;
        }).InTime();

        await Server.Hub.SendEventAsync("", "local", "GO", null, Processed).InTime();
        await failures.Reader.ReadAsync().InTime();

        Assert.NotNull(await Server.Hub.RequestAsync("local", "other", "E").InTime());
    }

    [Fact]
    public async Task RegisterMachine_IdOfAnotherOrOfNone_FailsAsAClients()
    {
        var client = await ConnectClientAsync();
        using var remote = await client.RegisterMachineAsync("taken", _ => Task.CompletedTask).InTime();
        await using var local = await Server.Hub.RegisterMachineAsync("local", _ => Task.CompletedTask).InTime();

        var taken = await FailsAsync(
            Server.Hub.RegisterMachineAsync("taken", _ => Task.CompletedTask), StatusCode.AlreadyExists);
        await FailsAsync(Server.Hub.RegisterMachineAsync("local", _ => Task.CompletedTask), StatusCode.AlreadyExists);
        await FailsAsync(Server.Hub.RegisterMachineAsync("", _ => Task.CompletedTask), StatusCode.InvalidArgument);
        var cancelled = Server.Hub.RegisterMachineAsync(
            "m", _ => Task.CompletedTask, null, new CancellationToken(canceled: true));

        Assert.Equal("taken", taken.MachineId);
        Assert.True(cancelled.IsCanceled);
        Assert.Throws<ArgumentNullException>(
            () => { _ = Server.Hub.RegisterMachineAsync(null!, _ => Task.CompletedTask); });
        Assert.Throws<ArgumentNullException>(() => { _ = Server.Hub.RegisterMachineAsync("m", null!); });
    }

    [Fact]
    public async Task MachineOptions_OfALocalMachine_HoldAsAClients()
    {
        var events = Channel.CreateUnbounded<string>();
        var gate = new TaskCompletionSource();
        await using var local = await Server.Hub.RegisterMachineAsync(
            "local",
            async received =>
            {
                events.Writer.TryWrite(received.EventName);
                await gate.Task;
            },
            new MachineOptions { Groups = ["g"], MailboxCapacity = 1, OverflowPolicy = OverflowPolicy.Grow }).InTime();

        Assert.Equal(
            1, await Server.Hub.PublishAsync("TO-GROUP", null, new EventPublishOptions { Group = "g" }).InTime());
        Assert.Equal("TO-GROUP", await events.Reader.ReadAsync().InTime());
        await Server.Hub.SendEventAsync("", "local", "WAITS").InTime();
        await FailsAsync(Server.Hub.SendEventAsync("", "local", "TOO-MUCH"), StatusCode.ResourceExhausted);
        gate.SetResult();
        Assert.Equal("WAITS", await events.Reader.ReadAsync().InTime());
    }

    [Fact]
    public async Task Dispose_FromItsOwnHandler_UnregistersTheMachine()
    {
        var disposed = new TaskCompletionSource();
        LocalMachine? local = null;
        var made = new TaskCompletionSource();
        local = await Server.Hub.RegisterMachineAsync("local", async _ =>
        {
            await made.Task;
            local!.Dispose();
            disposed.SetResult();
        }).InTime();
        made.SetResult();

        await Server.Hub.SendEventAsync("", "local", "E").InTime();
        await disposed.Task.InTime();
        await local.DisposeAsync().InTime();

        await FailsAsync(Server.Hub.SendEventAsync("", "local", "E"), StatusCode.NotFound);
        await using var again = await Server.Hub.RegisterMachineAsync("local", _ => Task.CompletedTask).InTime();
    }

    [Fact]
    public async Task Payload_OfALocalMachine_IsEncodedByTheHubsOptions()
    {
        var client = await ConnectClientAsync();
        var received = await ReceiveAsync(client, "remote");

        await Server.Hub.SendEventAsync("", "remote", "E", new { SomeName = 1 }).InTime();

        var payload = (JsonElement)(await received.ReadAsync().InTime()).Payload!;
        Assert.Equal(1, payload.GetProperty("someName").GetInt32());
    }

    protected override void Build(WebApplicationBuilder builder) => builder.Services.Configure<LocalMachineOptions>(
        options => options.Json.PropertyNamingPolicy = JsonNamingPolicy.CamelCase);
}
