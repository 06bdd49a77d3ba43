using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// A process that says how many events per second it sends to a <see cref="LaneReceiverRole"/>, and how long a request
/// takes: over a lane, or by the hub.
/// </summary>
internal static class LaneFiguresRole
{
    private const int Window = 2_048;
    private const int Requests = 5_000;

    public static async Task<int> RunAsync(string address, string target, bool usesLanes, double seconds)
    {
        long overLanes = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, meters) =>
        {
            if (instrument.Name == "grpcshm.eventbus.lane.messages")
            {
                meters.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref overLanes, value));
        listener.Start();

        using var channel = HubChannel.To(address);
        var options = new EventBusClientOptions { Lanes = usesLanes ? new SharedMemoryLanes() : null };
        await using var client = new EventClient(channel, options);
        await client.ConnectAsync();
        await client.RegisterMachineAsync("figures", static _ => Task.CompletedTask);
        var payload = new byte[64];
        var version = 0;
        Console.WriteLine("ready");

        // The first rounds warm up, and let a lane come.
        for (var round = 0; round < 5; round++)
        {
            var (before, start, sent) = (Interlocked.Read(ref overLanes), Stopwatch.GetTimestamp(), 0);
            var (earlier, last) = (Task.CompletedTask, Task.CompletedTask);
            while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
            {
                last = client.SendEventAsync(
                    "figures", target, "E", payload, new EventSendOptions { Version = version++ });
                if (++sent % (Window / 2) == 0)
                {
                    await earlier;
                    earlier = last;
                }
            }

            await last;
            var reply = await client.RequestAsync("figures", target, "count");
            var rate = sent / Stopwatch.GetElapsedTime(start).TotalSeconds;
            var times = new List<double>(Requests);
            for (var i = 0; i < Requests; i++)
            {
                var begin = Stopwatch.GetTimestamp();
                await client.RequestAsync("figures", target, "count");
                times.Add(Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
            }

            times.Sort();
            var lane = Interlocked.Read(ref overLanes) - before;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{rate:F0} events/s, request {times[Requests / 2]:F1} us (median), {lane} of {sent + Requests + 1} "
                    + $"over lanes, receiver says '{reply.GetPayload<string>()}'"));
        }

        return 0;
    }
}
