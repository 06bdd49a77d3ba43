using Grpc.Core;
using GrpcShm.EventBus;
using Samples.Stress.Journals;

namespace Samples.Stress.Roles;

/// <summary>The process of a consumer: a machine that processes each event of each producer once, in order.</summary>
internal sealed class ConsumerProgram(int index, Journal journal)
{
    private static readonly TimeSpan TakeOverPause = TimeSpan.FromMilliseconds(50);

    public static async Task<int> RunAsync(int index, int producers, string journalPath, SampleEndpoint endpoint)
    {
        var commands = ParentCommands.Listen();
        using var journal = new Journal(journalPath, producers);
        using var channel = endpoint.CreateChannel();
        await using var bus = StressBus.Create(channel, StressBus.ConsumerId(index));
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
            || received.Producer < 0 || received.Producer >= journal.Lanes)
        {
            journal.Count(Counter.Corrupt);
            throw new InvalidDataException("The event is damaged.");
        }

        var lane = received.Producer;
        var position = journal.Read(lane);
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
        journal.Write(lane, new Position(received.Sequence, received.Extend(position.Digest)));
    }

    private async Task JoinAsync(EventClient bus, Task gone)
    {
        while (!gone.IsCompleted)
        {
            try
            {
                await bus.RegisterMachineAsync(
                    StressBus.ConsumerId(index),
                    received =>
                    {
                        Process(received.RawPayload.Data.Span);
                        return Task.CompletedTask;
                    },
                    new MachineOptions { MailboxCapacity = journal.Lanes * LaneOptions.MostInFlight });
                return;
            }
            catch (EventBusException exception)
                when (exception.StatusCode is StatusCode.AlreadyExists or StatusCode.Unavailable)
            {
                // The hub has not noticed yet that the machine's last life has ended, or the hub itself does not run.
                await Task.WhenAny(gone, Task.Delay(TakeOverPause));
            }
        }
    }
}
