using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// A process that holds the hub. To the line "memory" it says how many bytes of objects it has, to "time" how much
/// processor time it has taken, in 100-nanosecond units, and to "lanes" how many lanes there are.
/// </summary>
internal static class HubRole
{
    private const int Many = 1_000_000;

    // Tests hold receivers up on purpose. No sender may be refused because the machine is busy meanwhile.
    private static readonly TimeSpan MaxBlockTime = TimeSpan.FromMinutes(5);

    public static async Task<int> RunAsync(string socket, Action<EventBusOptions>? configure = null)
    {
        await using var server = await HubServer.StartAsync(socket, options =>
        {
            options.MaxBlockTime = MaxBlockTime;
            configure?.Invoke(options);
        });
        Console.WriteLine("ready");
        while (await Task.Run(Console.In.ReadLine) is { } line)
        {
            if (line == "memory")
            {
                Console.WriteLine(GC.GetTotalMemory(forceFullCollection: true));
            }
            else if (line == "lanes")
            {
                Console.WriteLine(CountLanes());
            }
            else if (line == "time")
            {
                using var process = Process.GetCurrentProcess();
                Console.WriteLine(process.TotalProcessorTime.Ticks);
            }
        }

        return 0;
    }

    private static long CountLanes()
    {
        var lanes = 0L;
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Name == "grpcshm.eventbus.lanes")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => lanes = value);
        listener.Start();
        listener.RecordObservableInstruments();
        return lanes;
    }

    /// <summary>Raises the bounds of what is measured in large numbers.</summary>
    public static void RaiseBounds(EventBusOptions options)
    {
        (options.MaxMachines, options.MaxMachinesPerSession) = (Many, Many);
        (options.MaxObservers, options.MaxObserversPerSession) = (Many, Many);
        (options.MaxPatterns, options.MaxPatternsPerSession) = (Many, Many);
        (options.MaxSubscriptionsPerSession, options.MaxRegistrationSizePerSession) =
            (Many, options.MaxRegistrationSize);
    }
}
