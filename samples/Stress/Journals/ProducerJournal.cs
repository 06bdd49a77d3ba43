namespace Samples.Stress.Journals;

/// <summary>
/// A producer's journal has two tracks for each consumer: one for the acknowledged events, and one for the sent events.
/// </summary>
internal static class ProducerJournal
{
    public static Journal Open(string path, int consumers) => new(path, 2 * consumers);

    public static Position ReadAcknowledged(Journal journal, int consumer) => journal.Read(consumer);

    public static long ReadSent(Journal journal, int consumer) => journal.Read(SentTrack(journal, consumer)).Sequence;

    public static int SentTrack(Journal journal, int consumer) => (journal.Tracks / 2) + consumer;
}
