using Samples.Stress.Journals;

namespace Samples.Stress.Supervision;

/// <summary>Reads the journals of all producers and consumers, and compares them.</summary>
internal sealed class Ledger : IDisposable
{
    private readonly List<Journal> _producers = [];
    private readonly List<Journal> _consumers = [];

    /// <summary>Makes the journals, or opens the existing ones.</summary>
    public Ledger(string directory, int producers, int consumers)
    {
        for (var i = 0; i < producers; i++)
        {
            _producers.Add(ProducerJournal.Open(Cast.ProducerJournalPath(directory, i), consumers));
        }

        for (var i = 0; i < consumers; i++)
        {
            _consumers.Add(new Journal(Cast.ConsumerJournalPath(directory, i), producers));
        }
    }

    /// <summary>Computes the totals at this moment, while all processes go on.</summary>
    public Totals Read()
    {
        long acknowledged = 0;
        long processed = 0;
        long lost = 0;
        ForEachTrack((producer, consumer, _) =>
        {
            // The order matters: events that are acknowledged now were processed before, so the next read sees them as
            // processed.
            var first = producer.Acknowledged().Sequence;
            var second = consumer().Sequence;
            acknowledged += first;
            processed += second;
            lost += Math.Max(0, first - second);
        });
        return new Totals
        {
            Sent = Sum(_producers, Counter.Sent),
            SentAgain = Sum(_producers, Counter.SentAgain),
            Acknowledged = acknowledged,
            Processed = processed,
            Lost = lost,
            Failed = Sum(_producers, Counter.Failed),
            OverLanes = Sum(_producers, Counter.OverLanes),
            Hung = Sum(_producers, Counter.Hung),
            Duplicates = Sum(_consumers, Counter.Duplicates),
            Refused = Sum(_consumers, Counter.Refused),
            Corrupt = Sum(_consumers, Counter.Corrupt),
        };
    }

    /// <summary>
    /// Compares every track's two ends after the last event: number by number, and all bytes by their digest.
    /// </summary>
    /// <returns>The errors, a sentence each.</returns>
    public IReadOnlyList<string> Inspect()
    {
        var problems = new List<string>();
        ForEachTrack((producer, consumer, name) =>
        {
            var (sent, acknowledged, processed) = (producer.Sent(), producer.Acknowledged(), consumer());
            if (acknowledged.Sequence != sent)
            {
                problems.Add($"{name}: {sent} events were sent and {acknowledged.Sequence} acknowledged.");
            }
            else if (processed.Sequence != acknowledged.Sequence)
            {
                problems.Add(
                    $"{name}: {acknowledged.Sequence} events were acknowledged and {processed.Sequence} processed.");
            }
            else if (processed.Digest != acknowledged.Digest)
            {
                problems.Add(
                    $"{name}: {processed.Sequence} events were processed, but not the events that were sent: "
                    + "the digests differ.");
            }
        });
        return problems;
    }

    public void Dispose()
    {
        foreach (var journal in _producers.Concat(_consumers))
        {
            journal.Dispose();
        }
    }

    private static long Sum(List<Journal> journals, Counter counter) => journals.Sum(journal => journal[counter]);

    private void ForEachTrack(Action<ProducerEnd, Func<Position>, string> look)
    {
        for (var producer = 0; producer < _producers.Count; producer++)
        {
            for (var consumer = 0; consumer < _consumers.Count; consumer++)
            {
                var (from, to) = (producer, consumer);
                look(
                    new ProducerEnd(_producers[from], to),
                    () => _consumers[to].Read(from),
                    $"producer {from} to consumer {to}");
            }
        }
    }

    private readonly record struct ProducerEnd(Journal Journal, int Consumer)
    {
        public Position Acknowledged() => ProducerJournal.ReadAcknowledged(Journal, Consumer);

        public long Sent() => ProducerJournal.ReadSent(Journal, Consumer);
    }
}
