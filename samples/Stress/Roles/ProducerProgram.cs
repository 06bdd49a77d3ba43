using System.Diagnostics.Metrics;
using GrpcShm.EventBus;
using Samples.Stress.Journals;

namespace Samples.Stress.Roles;

/// <summary>The process of a producer: a track to each consumer.</summary>
internal static class ProducerProgram
{
    private const string EventsOverLanes = "grpcshm.eventbus.lane.messages";

    public static async Task<int> RunAsync(
        int index, int consumers, string journalPath, TrackOptions options, SampleEndpoint endpoint, bool usesLanes)
    {
        var commands = ParentCommands.Listen();
        Console.WriteLine("ready");
        using var journal = ProducerJournal.Open(journalPath, consumers);
        using var counting = CountLanes(journal);
        using var channel = endpoint.CreateChannel();
        await using var bus = StressBus.Create(channel, StressBus.ProducerId(index), usesLanes);
        var producing = ProduceAsync(bus, index, consumers, journal, options, usesLanes, commands);
        if (await Task.WhenAny(producing, commands.Gone) == producing)
        {
            await producing;
            return 0;
        }

        // The first process has ended, so this process ends, too.
        return 1;
    }

    private static async Task ProduceAsync(
        EventClient bus,
        int index,
        int consumers,
        Journal journal,
        TrackOptions options,
        bool usesLanes,
        ParentCommands commands)
    {
        if (usesLanes)
        {
            // Only registered machines get lanes.
            bus.MachineLost += (_, _) => _ = JoinAsync(bus, index, commands.Gone);
        }

        await bus.ConnectAsync();
        if (usesLanes)
        {
            await JoinAsync(bus, index, commands.Gone);
        }

        await Task.WhenAll(Enumerable.Range(0, consumers).Select(consumer =>
            new Track(bus, journal, index, consumer, options).RunAsync(commands.Draining)));
    }

    private static Task JoinAsync(EventClient bus, int index, Task gone) => StressBus.JoinAsync(
        bus, StressBus.ProducerId(index), static _ => Task.CompletedTask, new MachineOptions(), gone);

    private static MeterListener CountLanes(Journal journal)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Name == EventsOverLanes)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, events, _, _) => journal.Count(Counter.OverLanes, events));
        listener.Start();
        return listener;
    }
}
