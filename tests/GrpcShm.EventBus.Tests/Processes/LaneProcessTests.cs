using System.Globalization;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.TestProcess;
using GrpcShm.EventBus.Tests.Lanes;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>
/// Lanes over shared memory: this process sends, another one receives, and a third one has the hub. The receiver
/// counts, and finds out what is missing, doubled or out of order.
/// </summary>
public sealed class LaneProcessTests : IAsyncLifetime
{
    private readonly BreakableLanes _lanes = new();
    private readonly LaneMeter _meter = new();
    private readonly LaneLog _log = new();
    private HubProcess _hub = null!;
    private HubChannel _channel = null!;
    private EventClient _client = null!;
    private int _next;

    public async ValueTask InitializeAsync()
    {
        _hub = await HubProcess.StartAsync("shm");
        _channel = HubChannel.To(_hub.Address);
        _client = new EventClient(_channel, new EventBusClientOptions
        {
            Lanes = _lanes,
            LaneTimes = new LaneTimes
            {
                AskAfterSends = 4,
                AskAgainAfter = 1,

                // However little time a loaded machine gives the other process: it is not judged by that here.
                LongestHold = (long)TimeLimit.Value.TotalMilliseconds,
                LongestDrain = (long)TimeLimit.Value.TotalMilliseconds,
            },
            MeterFactory = _meter,
            LoggerFactory = _log,
            AcknowledgementTimeout = TimeLimit.Value,
        });
        await _client.ConnectAsync().InTime();
        await _client.RegisterMachineAsync("A", static _ => Task.CompletedTask).InTime();
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync().InTime();
        _channel.Dispose();
        _meter.Dispose();
        await _hub.DisposeAsync();
    }

    [Fact]
    public async Task SendEventAsync_ToAnotherProcess_GoesOverALaneInOrder()
    {
        await using var receiver = await StartReceiverAsync(0);
        await SendUntilLaneAsync();
        var before = _meter.Events;

        await Task.WhenAll(Send(20_000)).InTime();

        Assert.Equal(Counted(), await CountAsync());
        Assert.True(_meter.Events - before > 10_000);
        Assert.Equal(1, _lanes.Count);
    }

    [Fact]
    public async Task SendEventAsync_ConnectionOfTheLaneEnds_NothingIsLostOrDoubled()
    {
        await using var receiver = await StartReceiverAsync(0);
        var sends = new List<Task>();
        for (var round = 0; round < 5; round++)
        {
            await SendUntilLaneAsync(connections: round + 1);
            sends.AddRange(Send(1_000));
            await _lanes.BreakAsync();
            sends.AddRange(Send(1_000));
        }

        await Task.WhenAll(sends).InTime();

        Assert.Equal(Counted(), await CountAsync());
        Assert.True(_log.Stood >= 5);
    }

    [Fact]
    public async Task SendEventAsync_HubIsKilledWhileALaneStands_NothingIsLostOrDoubled()
    {
        await using var receiver = await StartReceiverAsync(0);
        await SendUntilLaneAsync();
        var sends = Send(2_000);

        await _hub.RestartAsync();
        sends.AddRange(Send(2_000));
        await _client.WaitForMachineAsync("X").InTime();
        await Task.WhenAll(sends).ContinueWith(static _ => { }, TaskScheduler.Default).InTime();

        // A hub that does not know the receiver yet refuses events. No other ones are missing.
        var refused = sends.Count(static send => !send.IsCompletedSuccessfully);
        await _client.SendEventAsync("A", "X", "N", null, new EventSendOptions { Version = _next++ }).InTime();
        var counts = (await CountAsync()).Split(' ').Select(int.Parse).ToArray();
        Assert.Equal(_next, counts[0]);
        Assert.InRange(counts[1], 0, refused);
        Assert.Equal(0, counts[2]);
        await SendUntilLaneAsync(connections: 2);
        Assert.Equal(2, _lanes.Count);
    }

    [Fact]
    public async Task SendEventAsync_ReceiverIsKilled_SuccessorGetsTheNextEvents()
    {
        await using var receiver = await StartReceiverAsync(0);
        await SendUntilLaneAsync();
        var sends = Send(2_000);
        await receiver.KillAsync();
        await Task.WhenAll(sends).ContinueWith(static _ => { }, TaskScheduler.Default).InTime();

        await using var successor = await StartReceiverAsync(_next);
        await Task.WhenAll(Send(100)).InTime();

        Assert.Equal(Counted(), await CountAsync());
        await SendUntilLaneAsync(connections: 2);
        Assert.Equal(2, _lanes.Count);
    }

    [Fact]
    public async Task SubscribeToAllAsync_InAThirdProcessWhileALaneStands_SeesAllLaterEvents()
    {
        await using var receiver = await StartReceiverAsync(0);
        await SendUntilLaneAsync();
        using var channel = HubChannel.To(_hub.Address);
        await using var watcherEnd = new EventClient(channel).InTime(out var watcher);
        await watcher.ConnectAsync().InTime();
        var seen = System.Threading.Channels.Channel.CreateUnbounded<int>();
        await watcher.SubscribeToAllAsync(
            received => seen.Writer.WriteAsync(received.Version).AsTask(),
            new MachineOptions { OverflowPolicy = OverflowPolicy.Grow, MailboxCapacity = 10_000 }).InTime();

        var first = _next;
        await Task.WhenAll(Send(3_000)).InTime();

        var number = await seen.Reader.ReadAsync().InTime();
        Assert.True(number <= first, $"The first event was {number}, and {first} was sent after the subscription.");
        while (number < _next - 1)
        {
            Assert.Equal(++number, await seen.Reader.ReadAsync().InTime());
        }
    }

    private Task<ChildProcess> StartReceiverAsync(int first) =>
        ChildProcess.StartAsync("lane-receiver", _hub.Address, "X", Text(first), "lane");

    private List<Task> Send(int count) =>
    [
        .. Enumerable.Range(0, count).Select(_ =>
            _client.SendEventAsync("A", "X", "N", null, new EventSendOptions { Version = _next++ })),
    ];

    // A lane that has just been closed may still be counted. So a further one stands first.
    private async Task SendUntilLaneAsync(int connections = 1)
    {
        await TimeLimit.UntilAsync(() =>
        {
            Send(1);
            return _log.Stood >= connections;
        });
        var before = _meter.Events;
        await TimeLimit.UntilAsync(() =>
        {
            Send(1);
            return _meter.Events > before;
        });
    }

    // The next one, with none missing, doubled or late.
    private string Counted() => $"{Text(_next)} 0 0";

    private async Task<string> CountAsync() =>
        (await _client.RequestAsync("A", "X", "count").InTime()).GetPayload<string>()!;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
