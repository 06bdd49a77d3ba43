using GrpcShm.EventBus;
using Samples.Stress.Journals;

namespace Samples.Stress.Roles;

/// <summary>The process of a producer: a lane to each consumer.</summary>
internal static class ProducerProgram
{
    public static async Task<int> RunAsync(
        int index, int consumers, string journalPath, LaneOptions options, SampleEndpoint endpoint)
    {
        var commands = ParentCommands.Listen();
        Console.WriteLine("ready");
        using var journal = ProducerJournal.Open(journalPath, consumers);
        using var channel = endpoint.CreateChannel();
        await using var bus = StressBus.Create(channel, StressBus.ProducerId(index));
        var producing = ProduceAsync(bus, index, consumers, journal, options, commands);
        if (await Task.WhenAny(producing, commands.Gone) == producing)
        {
            await producing;
            return 0;
        }

        // The first process has ended, so this process ends, too.
        return 1;
    }

    private static async Task ProduceAsync(
        EventClient bus, int index, int consumers, Journal journal, LaneOptions options, ParentCommands commands)
    {
        await bus.ConnectAsync();
        await Task.WhenAll(Enumerable.Range(0, consumers).Select(consumer =>
            new Lane(bus, journal, index, consumer, options).RunAsync(commands.Draining)));
    }
}
