using System.Net.Sockets;
using System.Threading.Channels;
using GrpcShm.EventBus.TestProcess;
using Polly;
using Polly.Retry;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>Each call of the client that may be given up, given up while its answer cannot come.</summary>
public sealed class CancellationTests : IAsyncLifetime
{
    private static readonly Dictionary<string, Func<EventClient, CancellationToken, Task>> Calls = new()
    {
        ["send"] = (client, token) => client.SendEventAsync("s", "m", "E", null, token),
        ["send with options"] = (client, token) =>
            client.SendEventAsync("s", "m", "E", null, new EventSendOptions(), token),
        ["send and wait"] = (client, token) => client.SendEventAsync(
            "s", "m", "E", null, new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed }, token),
        ["request"] = (client, token) => client.RequestAsync("s", "m", "E", cancellationToken: token),
        ["publish"] = (client, token) => client.PublishAsync("E", null, token),
        ["publish with options"] = (client, token) =>
            client.PublishAsync("E", null, new EventPublishOptions { Group = "g" }, token),
        ["publish a state change"] = (client, token) =>
            client.PublishStateChangeAsync("s", new MachineStateChange { NewState = "n" }, token),
        ["subscribe"] = (client, token) => client.SubscribeAsync("given-up", Ignore, token),
        ["register"] = (client, token) => client.RegisterMachineAsync("given-up", Ignore, cancellationToken: token),
        ["observe a machine"] = (client, token) =>
            client.SubscribeToMachineAsync("m", Ignore, cancellationToken: token),
        ["observe state changes"] = (client, token) =>
            client.SubscribeToStateChangesAsync("m", Ignore, cancellationToken: token),
        ["observe a group"] = (client, token) => client.SubscribeToGroupAsync("g", Ignore, cancellationToken: token),
        ["observe a pattern"] = (client, token) =>
            client.SubscribeToPatternAsync(new EventPattern(), Ignore, cancellationToken: token),
        ["observe all"] = (client, token) => client.SubscribeToAllAsync(Ignore, cancellationToken: token),
        ["observe machines"] = (client, token) =>
            client.SubscribeToMachinesAsync("*", _ => Task.CompletedTask, cancellationToken: token),
        ["wait for a machine"] = (client, token) => client.WaitForMachineAsync("nobody", token),
    };

    private static readonly Dictionary<string, Func<EventClient, CancellationToken, Task>> Questions = new()
    {
        ["connect"] = (client, token) => client.ConnectAsync(token),
        ["list machines"] = (client, token) =>
            client.ListMachinesAsync(cancellationToken: token).GetAsyncEnumerator(token).MoveNextAsync().AsTask(),
        ["ask how the hub is"] = (client, token) => client.GetHubHealthAsync(token),
    };

    private readonly TempDirectory _directory = new();
    private HubServer _hub = null!;

    public static TheoryData<string> CallNames { get; } = [.. Calls.Keys];

    public static TheoryData<string> QuestionNames { get; } = [.. Questions.Keys];

    public async ValueTask InitializeAsync() => _hub = await HubServer.StartAsync(_directory.Socket);

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync().InTime();
        _directory.Dispose();
    }

    [Theory]
    [MemberData(nameof(CallNames))]
    public async Task Call_GivenUpWhileTheHubIsAway_IsCancelledAndTheClientGoesOn(string name)
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(
            channel, new EventBusClientOptions { ConnectPipeline = Patient() }).InTime(out var client);
        var states = Channel.CreateUnbounded<EventBusConnectionState>();
        client.ConnectionChanged += (_, change) => states.Writer.TryWrite(change.State);
        await client.ConnectAsync().InTime();
        await _hub.DisposeAsync().InTime();
        while (await states.Reader.ReadAsync().InTime() != EventBusConnectionState.Reconnecting)
        {
        }

        using var cancellation = new CancellationTokenSource();
        var call = Calls[name](client, cancellation.Token);
        Assert.False(call.IsCompleted);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.InTime());

        _hub = await HubServer.StartAsync(_directory.Socket);
        while (await states.Reader.ReadAsync().InTime() != EventBusConnectionState.Connected)
        {
        }

        // Nothing of it is left: the id is free, and events are handled.
        var events = await ClientTest.ReceiveAsync(client, "given-up");
        await client.SendEventAsync("s", "given-up", "NEXT").InTime();
        while ((await events.ReadAsync().InTime()).EventName != "NEXT")
        {
        }
    }

    [Theory]
    [MemberData(nameof(CallNames))]
    public async Task Call_CancelledBefore_IsNotMade(string name)
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        await client.ConnectAsync().InTime();
        var events = await ClientTest.ReceiveAsync(client, "m", new MachineOptions { Groups = ["g"] });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Calls[name](client, new CancellationToken(canceled: true)).InTime());

        await client.SendEventAsync("s", "m", "NEXT").InTime();
        Assert.Equal("NEXT", (await events.ReadAsync().InTime()).EventName);
        await using var otherEnd = new EventClient(channel).InTime(out var other);
        await other.ConnectAsync().InTime();
        await ClientTest.ReceiveAsync(other, "given-up");
    }

    [Theory]
    [MemberData(nameof(QuestionNames))]
    public async Task Question_ToAHubThatNeverAnswers_IsCancelled(string name)
    {
        // Whoever connects is kept waiting.
        using var silent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var path = _directory.Socket + ".silent";
        silent.Bind(new UnixDomainSocketEndPoint(path));
        silent.Listen();
        using var channel = HubChannel.To(path);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        using var cancellation = new CancellationTokenSource();

        var question = Questions[name](client, cancellation.Token);
        using var connection = await silent.AcceptAsync().InTime();
        Assert.False(question.IsCompleted);
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => question.InTime());
        Assert.Equal(EventBusConnectionState.Disconnected, client.State);
    }

    [Fact]
    public async Task Disconnect_GivenUp_DisconnectsAllTheSame()
    {
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        await client.ConnectAsync().InTime();
        await ClientTest.ReceiveAsync(client, "m");

        await client.DisconnectAsync(new CancellationToken(canceled: true)).InTime();

        Assert.Equal(EventBusConnectionState.Disconnected, client.State);
    }

    private static Task Ignore(BusEvent received) => Task.CompletedTask;

    private static ResiliencePipeline Patient() => new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions { MaxRetryAttempts = 1000, Delay = TimeSpan.FromMilliseconds(20) })
        .Build();
}
