using System.Globalization;
using System.Threading.Channels;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.TestProcess;
using GrpcShm.EventBus.Tests.Client;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>A test with a hub and two clients of this process, which get lanes over pipes in memory.</summary>
public abstract class LaneTest : ClientTest
{
    internal PipeLanes Lanes { get; } = new();

    internal LaneMeter Meter { get; } = new();

    internal LaneLog Log { get; } = new();

    /// <summary>When the clients ask for routes, and when they give up.</summary>
    internal virtual LaneTimes Times { get; } = new() { AskAfterSends = 4, AskAgainAfter = 1 };

    protected override void Configure(EventBusOptions options) => options.GrantsRoutesWithinProcess = true;

    internal Task<EventClient> ConnectLanesAsync(Action<EventBusClientOptions>? configure = null) =>
        ConnectClientAsync(options =>
        {
            options.Lanes = Lanes;
            options.LaneTimes = Times;
            options.MeterFactory = Meter;
            options.LoggerFactory = Log;
            configure?.Invoke(options);
        });

    /// <summary>Sends events with numbers as names, one after the other, until a lane carries them.</summary>
    /// <returns>How many were sent.</returns>
    internal async Task<int> SendUntilLaneAsync(
        EventClient client, string source, string target, int from = 0, int connections = 1)
    {
        var count = 0;

        // A lane that has just been closed may still be counted. So a further one stands first, at both ends.
        await TimeLimit.UntilAsync(() =>
        {
            _ = client.SendEventAsync(source, target, Name(from + count));
            count++;
            return Log.Stood >= 2 * connections;
        });
        var before = Meter.Events;
        await TimeLimit.UntilAsync(() =>
        {
            _ = client.SendEventAsync(source, target, Name(from + count));
            count++;
            return Meter.Events > before;
        });
        return count;
    }

    internal static string Name(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Reads events, which must have the names of numbers that count up.</summary>
    internal static async Task ExpectAsync(ChannelReader<BusEvent> events, int count, int from = 0)
    {
        for (var i = from; i < from + count; i++)
        {
            Assert.Equal(Name(i), (await events.ReadAsync().AsTask().InTime()).EventName);
        }
    }

    internal static async Task ExpectNoMoreAsync(ChannelReader<BusEvent> events, EventClient client, string target)
    {
        // Whatever came before this event would have come by now.
        await client.SendEventAsync("last-one", target, "last").InTime();
        Assert.Equal("last", (await events.ReadAsync().AsTask().InTime()).EventName);
    }
}
