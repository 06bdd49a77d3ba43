using System.Diagnostics.CodeAnalysis;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Memory;

/// <summary>Two threads, real doorbells, and nothing but the ring's own rules for who sleeps when.</summary>
[SuppressMessage("Security", "CA5394", Justification = "Sizes of a test, reproducible by their seed.")]
public sealed class RingWakeUpTests
{
    private const long Total = 6 * 1024 * 1024;

    [Theory]
    [InlineData(64)]
    [InlineData(4096)]
    public async Task Ring_TwoThreadsThatSleepWhenTheyCannotGoOn_NeverLoseAWakeUp(int capacity)
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        using var ring = new RingInPrivateMemory(capacity);
        using var toProducer = new Bell();
        using var toConsumer = new Bell();

        // A lost wake-up leaves both asleep for ever, and the time limit ends the test.
        await TimeLimit.OnThreads(
            () => Produce(ring, new Random(seed), toConsumer, toProducer),
            () => Consume(ring, new Random(seed + 1), toProducer, toConsumer));

        ring.VerifyGuards();
    }

    private static void Produce(RingInPrivateMemory ring, Random random, Bell peer, Bell own)
    {
        var producer = ring.Producer;
        long written = 0;
        while (written < Total / (4096 / producer.Capacity))
        {
            var rest = Pattern.Take(written, random.Next(1, producer.Capacity * 3)).AsSpan();
            written += rest.Length;
            while (true)
            {
                rest = rest[producer.Write(rest)..];
                if (producer.Publish().IsNeeded)
                {
                    peer.Ring();
                }

                if (rest.IsEmpty)
                {
                    break;
                }

                producer.AnnounceWait();
                producer.Refresh();
                if (producer.Free == 0)
                {
                    own.Wait();
                }
            }
        }

        if (producer.Close(GrpcShm.Transport.Memory.RingEndState.Completed).IsNeeded)
        {
            peer.Ring();
        }
    }

    private static void Consume(RingInPrivateMemory ring, Random random, Bell peer, Bell own)
    {
        var consumer = ring.Consumer;
        var buffer = new byte[consumer.Capacity * 2];
        while (true)
        {
            var ended = consumer.ReadProducerState() != 0;
            if (consumer.Refresh() == 0)
            {
                if (ended)
                {
                    return;
                }

                if (consumer.AnnounceSleep().IsNeeded)
                {
                    peer.Ring();
                }

                ended = consumer.ReadProducerState() != 0;
                if (consumer.Refresh() == 0)
                {
                    if (!ended)
                    {
                        own.Wait();
                    }

                    continue;
                }
            }

            var position = consumer.Head;
            var wake = consumer.Read(buffer.AsSpan(0, random.Next(1, buffer.Length)), out var count);
            Pattern.Verify(buffer.AsSpan(0, count), position);
            if (wake.IsNeeded)
            {
                peer.Ring();
            }
        }
    }

    /// <summary>A doorbell with a poller of its own.</summary>
    private sealed class Bell : IDisposable
    {
        private readonly Doorbell _bell = TransportPlatform.Current.CreateDoorbell();
        private readonly Poller _poller = TransportPlatform.Current.CreatePoller();
        private readonly PollEvent[] _events = new PollEvent[1];

        public Bell() => _poller.Add(_bell.Source, 1);

        public void Ring() => _bell.Ring();

        public void Wait() => _poller.Wait(_events, block: true);

        public void Dispose()
        {
            _poller.Remove(_bell.Source);
            _bell.Dispose();
            _poller.Dispose();
        }
    }
}
