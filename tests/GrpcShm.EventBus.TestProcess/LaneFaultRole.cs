using System.Globalization;
using Grpc.Core;
using GrpcShm.EventBus.Lanes;
using Polly;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// The two sides of a lane whose processes are killed and frozen. The source sends numbered events to the target, and
/// lets a lane open, drain and end meanwhile. The target counts.
/// </summary>
internal static class LaneFaultRole
{
    /// <summary>After how long without events a lane ends, in milliseconds.</summary>
    public const int Idle = 200;

    // So many events go over a lane before it drains, and again after that.
    private const int EventsOverLane = 40;
    private const int Batch = 10;
    private const int LostEach = 10;
    private const string Source = "S";
    private const string Target = "T";

    // A retry would change the order. What fails is counted.
    private static readonly EventBusClientOptions Common = new()
    {
        Lanes = new SharedMemoryLanes(),
        LaneTimes = new LaneTimes { AskAfterSends = 4, AskAgainAfter = 1, Idle = Idle },
        SendPipeline = ResiliencePipeline.Empty,
        ConnectTimeout = HubChannel.ConnectTimeout,
    };

    /// <summary>
    /// The source. To <c>run NUMBER</c> it sends events, the number of the run as their name, until lanes have carried
    /// enough of them, and says how many it has sent, how many of them have failed, and how many lanes have carried.
    /// </summary>
    public static async Task<int> RunSourceAsync(string address)
    {
        using var meter = new LaneMeter();
        using var channel = HubChannel.To(address);
        Common.MeterFactory = meter;
        await using var client = new EventClient(channel, Common);
        await JoinAsync(client, Source, static _ => Task.CompletedTask);
        await client.WaitForMachineAsync(Target);
        Console.WriteLine("ready");
        while (await Task.Run(Console.In.ReadLine) is { } line)
        {
            if (line.Split(' ') is ["run", var run])
            {
                var before = meter.Events;
                var (sent, failed) = await SendAsync(client, meter, run);
                Console.WriteLine($"done {sent} {failed} {meter.Events - before}");
            }
            else if (!LaneFault.TryExecute(line))
            {
                return 2;
            }
        }

        return 0;
    }

    /// <summary>
    /// The target. To <c>count</c> it says of the last run of a source: its number, the first event, the one that would
    /// be next, and how many are missing between them; how many were missing in the run before; and how many events of
    /// all runs came twice or late.
    /// </summary>
    public static async Task<int> RunTargetAsync(string address, bool loses)
    {
        using var channel = HubChannel.To(address);
        await using var client = new EventClient(channel, Common);
        var counts = new Counts();
        await JoinAsync(client, Target, received =>
        {
            // A target that loses an event now and then, to show that it is found out.
            if (!loses || received.Version % LostEach != 0)
            {
                counts.Take(received);
            }

            return Task.CompletedTask;
        });
        Console.WriteLine("ready");
        while (await Task.Run(Console.In.ReadLine) is { } line)
        {
            if (line == "count")
            {
                Console.WriteLine(counts);
            }
            else if (!LaneFault.TryExecute(line))
            {
                return 2;
            }
        }

        return 0;
    }

    private static async Task<(int Sent, int Failed)> SendAsync(EventClient client, LaneMeter meter, string run)
    {
        var (sent, failed) = (0, 0);
        for (var part = 0; part < 2; part++)
        {
            for (var before = meter.Events; meter.Events - before < EventsOverLane;)
            {
                var sends = Enumerable.Range(sent, Batch).Select(number => client.SendEventAsync(
                    Source, Target, run, null, new EventSendOptions { Version = number })).ToArray();
                sent += Batch;
                await Task.WhenAll(sends).ContinueWith(static _ => { }, TaskScheduler.Default);
                failed += sends.Count(static send => !send.IsCompletedSuccessfully);
            }

            try
            {
                // The route drains.
                var options = new EventPublishOptions { Group = "nobody", SourceMachineId = Source };
                await client.PublishAsync("DRAIN", null, options);
            }
            catch (EventBusException)
            {
                failed++;
            }
        }

        return (sent, failed);
    }

    // The hub may not know yet that the machine's last process is dead, or be dead itself.
    private static async Task JoinAsync(EventClient client, string machineId, Func<BusEvent, Task> handler)
    {
        client.MachineLost += (_, _) => _ = RegisterAsync();
        await client.ConnectAsync();
        await RegisterAsync();

        async Task RegisterAsync()
        {
            while (true)
            {
                try
                {
                    await client.RegisterMachineAsync(machineId, handler);
                    return;
                }
                catch (EventBusException exception)
                    when (exception.StatusCode is StatusCode.AlreadyExists or StatusCode.Unavailable)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(10));
                }
            }
        }
    }

    private sealed class Counts
    {
        private readonly Lock _lock = new();
        private int _run;
        private int _first;
        private int _next;
        private int _missing;
        private int _missingBefore;
        private int _late;

        public void Take(BusEvent received)
        {
            if (!int.TryParse(received.EventName, CultureInfo.InvariantCulture, out var run))
            {
                return;
            }

            lock (_lock)
            {
                if (run > _run)
                {
                    (_run, _first, _next, _missingBefore, _missing) =
                        (run, received.Version, received.Version, _missing, 0);
                }

                if (run < _run || received.Version < _next)
                {
                    _late++;
                    return;
                }

                _missing += received.Version - _next;
                _next = received.Version + 1;
            }
        }

        public override string ToString()
        {
            lock (_lock)
            {
                return $"{_run} {_first} {_next} {_missing} {_missingBefore} {_late}";
            }
        }
    }
}
