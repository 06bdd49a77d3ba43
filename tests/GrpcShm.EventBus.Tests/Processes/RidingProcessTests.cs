using GrpcShm.EventBus.TestProcess;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>Acknowledgements for which the hub does not wake the client at once come all the same.</summary>
public sealed class RidingProcessTests(SharedMemoryHub hub) : IClassFixture<SharedMemoryHub>
{
    private string Address => hub.Process.Address;

    [Fact]
    public async Task SendEvent_AwaitedWhileOthersKeepTheHubBusy_EachIsAcknowledged()
    {
        const int count = 2_000;
        await using var receiver = await ChildProcess.StartAsync("counting-receiver", Address, "busy");
        await using var first = await ChildProcess.StartAsync("counting-sender", Address, "first", "busy", "1");
        using var channel = HubChannel.To(Address);
        await using var clientEnd = Create(channel).InTime(out var client);
        await client.ConnectAsync(TestContext.Current.CancellationToken).InTime();
        var received = 0;
        await client.RegisterMachineAsync(
            "awaiting",
            _ =>
            {
                received++;
                return Task.CompletedTask;
            },
            cancellationToken: TestContext.Current.CancellationToken).InTime();
        await using var machine = await ChildProcess.StartAsync("answering-machine", Address, "quiet");

        for (var i = 0; i < count; i++)
        {
            // Neither an answer nor an event for this client follows, so the acknowledgement has nothing to ride on.
            await client.SendEventAsync("awaiting", "quiet", "N", new byte[1]).InTime();
        }

        Assert.Equal(0, received);
        for (var i = 0; i < count; i++)
        {
            Assert.Equal("N 1", await machine.ReadLineAsync());
        }
    }

    [Fact]
    public async Task SendEvent_AwaitedByProcessesThatAnswerEachOther_EachIsAcknowledged()
    {
        const int rounds = 2_000;
        await using var echo = await ChildProcess.StartAsync("echoing-machine", Address, "echo");
        using var channel = HubChannel.To(Address);
        await using var clientEnd = Create(channel).InTime(out var client);
        await client.ConnectAsync(TestContext.Current.CancellationToken).InTime();
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var round = 0;
        var acknowledged = 0;
        await client.RegisterMachineAsync(
            "ping",
            async _ =>
            {
                if (++round == rounds)
                {
                    over.SetResult();
                    return;
                }

                // The handler ends with the acknowledgement, and takes the answer only then.
                await client.SendEventAsync("ping", "echo", "N");
                acknowledged++;
            },
            cancellationToken: TestContext.Current.CancellationToken).InTime();
        await client.SendEventAsync("ping", "echo", "N").InTime();

        await over.Task.InTime();

        Assert.Equal(rounds - 1, acknowledged);
    }

    [Fact]
    public async Task Disconnect_BehindSendsThatNobodyAwaited_AllAreAcknowledged()
    {
        await using var machine = await ChildProcess.StartAsync("answering-machine", Address, "left");
        using var channel = HubChannel.To(Address);
        for (var i = 0; i < 50; i++)
        {
            await using var clientEnd = Create(channel).InTime(out var client);
            await client.ConnectAsync(TestContext.Current.CancellationToken).InTime();
            var sends = Enumerable.Range(0, 3)
                .Select(_ => client.SendEventAsync("leaving", "left", "N", new byte[1])).ToList();

            await client.DisconnectAsync().InTime();

            Assert.All(sends, static send => Assert.True(send.IsCompletedSuccessfully));
        }
    }

    private static EventClient Create(HubChannel channel) =>
        new(channel, new EventBusClientOptions { ConnectTimeout = TimeLimit.Value });
}
