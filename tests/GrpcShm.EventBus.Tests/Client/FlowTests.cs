using System.Threading.Channels;
using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>What lives longer than whoever began it carries nothing of that one's flow.</summary>
public sealed class FlowTests : ClientTest
{
    private static readonly AsyncLocal<string?> Caller = new();
    private static readonly EventSendOptions Processed = new() { Acknowledgement = AcknowledgementLevel.Processed };

    [Fact]
    public async Task Connect_InAHandlerOfTheConnectionsEnd_SendFailedTellsOfTheNextEndAsOfTheFirst()
    {
        var client = await ConnectClientAsync();
        var again = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        client.ConnectionChanged += async (_, change) =>
        {
            if (change.State == EventBusConnectionState.Disconnected && !again.Task.IsCompleted)
            {
                await client.ConnectAsync();
                again.SetResult();
            }
        };
        await client.DisconnectAsync().InTime();
        await again.Task.InTime();
        var failures = Channel.CreateUnbounded<string>();
        client.SendFailed += (_, failure) => failures.Writer.TryWrite(failure.EventName);
        var receiver = await ConnectClientAsync(options => options.ReceiveWindow = 1);
        var release = new TaskCompletionSource();
        await receiver.RegisterMachineAsync(
            "m", _ => release.Task, new MachineOptions { MailboxCapacity = 1 }).InTime();
        var sends = Enumerable.Range(0, 20).Select(i => client.SendEventAsync("s", "m", $"{i}")).ToArray();

        await client.DisconnectAsync(new CancellationToken(canceled: true)).InTime();

        // The last one that was sent surely found no room.
        await FailsAsync(sends[^1], StatusCode.Unavailable);
        while (await failures.Reader.ReadAsync().InTime() != "19")
        {
        }

        release.SetResult();
    }

    [Fact]
    public async Task Connect_InAFlowOfTheCallers_HandlersDoNotRunInIt()
    {
        Caller.Value = "caller";
        var client = await ConnectClientAsync();
        Caller.Value = null;
        var seen = Channel.CreateUnbounded<string>();
        client.ConnectionChanged += (_, change) => seen.Writer.TryWrite(Caller.Value ?? "");
        await client.RegisterMachineAsync("m", _ => seen.Writer.WriteAsync(Caller.Value ?? "").AsTask()).InTime();
        var sender = await ConnectClientAsync();

        for (var i = 0; i < 20; i++)
        {
            await sender.SendEventAsync("s", "m", "E", null, Processed).InTime();
            Assert.Equal("", await seen.Reader.ReadAsync().InTime());
        }

        await client.DisconnectAsync().InTime();
        Assert.Equal("", await seen.Reader.ReadAsync().InTime());
    }

    [Fact]
    public async Task RegisterMachine_AtTheHubInAFlowOfTheCallers_ItsHandlerDoesNotRunInIt()
    {
        var seen = Channel.CreateUnbounded<string>();
        Caller.Value = "caller";
        await using var machine = await Server.Hub.RegisterMachineAsync("local", _ =>
        {
            seen.Writer.TryWrite(Caller.Value ?? "");
            return Task.CompletedTask;
        }).InTime();
        Caller.Value = null;
        var sender = await ConnectClientAsync();

        await sender.SendEventAsync("s", "local", "E", null, Processed).InTime();

        Assert.Equal("", await seen.Reader.ReadAsync().InTime());
    }

    [Fact]
    public async Task Connect_WhileTheConnectionIsEnded_IsOfTheNextOne()
    {
        var client = await ConnectClientAsync();
        var states = Channel.CreateUnbounded<EventBusConnectionState>();
        client.ConnectionChanged += (_, change) => states.Writer.TryWrite(change.State);
        for (var i = 0; i < 50; i++)
        {
            var ending = client.DisconnectAsync();
            await client.ConnectAsync().InTime();
            await ending.InTime();

            Assert.Equal(EventBusConnectionState.Connected, client.State);
            await client.PublishAsync("E").InTime();
            foreach (var expected in new[]
            {
                EventBusConnectionState.Disconnected,
                EventBusConnectionState.Connecting,
                EventBusConnectionState.Connected,
            })
            {
                Assert.Equal(expected, await states.Reader.ReadAsync().InTime());
            }
        }
    }
}
