using GrpcShm.EventBus;
using Samples.Stress.Journals;

namespace Samples.Stress.Roles;

/// <summary>The process of a consumer: a machine that processes each event of each producer once, in order.</summary>
internal sealed class ConsumerProgram(int index, Journal journal)
{
    public static async Task<int> RunAsync(
        int index, int producers, string journalPath, SampleEndpoint endpoint, bool usesLanes)
    {
        var commands = ParentCommands.Listen();
        using var journal = new Journal(journalPath, producers);
        using var channel = endpoint.CreateChannel();
        await using var bus = StressBus.Create(channel, StressBus.ConsumerId(index), usesLanes);
        var consumer = new ConsumerProgram(index, journal);
        bus.MachineLost += (_, _) => _ = consumer.JoinAsync(bus, commands.Gone);
        var connecting = bus.ConnectAsync();
        if (await Task.WhenAny(connecting, commands.Gone) == connecting)
        {
            await connecting;
            await consumer.JoinAsync(bus, commands.Gone);
            Console.WriteLine("ready");
            await commands.Gone;
        }

        return 0;
    }

    /// <summary>Processes an event. If it cannot, it throws, and the bus tells the producer.</summary>
    internal void Process(ReadOnlySpan<byte> payload)
    {
        journal.Count(Counter.Received);
        if (!StressEvent.TryRead(payload, out var received)
            || received.Consumer != index
            || received.Producer < 0 || received.Producer >= journal.Tracks)
        {
            journal.Count(Counter.Corrupt);
            throw new InvalidDataException("The event is damaged.");
        }

        var track = received.Producer;
        var position = journal.Read(track);
        if (received.Sequence <= position.Sequence)
        {
            // The event was processed before, but the acknowledgement was lost, or this machine's last life could not
            // send it.
            journal.Count(Counter.Duplicates);
            return;
        }

        if (received.Sequence != position.Sequence + 1)
        {
            journal.Count(Counter.Refused);
            throw new InvalidDataException($"After event {position.Sequence} came event {received.Sequence}.");
        }

        // This comes before the acknowledgement. So each acknowledged event is processed, whatever happens to this
        // process.
        journal.Write(track, new Position(received.Sequence, received.Extend(position.Digest)));
    }

    private Task JoinAsync(EventClient bus, Task gone) => StressBus.JoinAsync(
        bus,
        StressBus.ConsumerId(index),
        received =>
        {
            Process(received.RawPayload.Data.Span);
            return Task.CompletedTask;
        },
        new MachineOptions { MailboxCapacity = journal.Tracks * TrackOptions.MostInFlight },
        gone);
}
