using Samples.Stress.Journals;
using Samples.Stress.Supervision;

namespace GrpcShm.Samples.Tests.Stress;

/// <summary>The ledger of a stress run finds errors.</summary>
public sealed class LedgerTests : IDisposable
{
    private const int Producers = 2;
    private const int Consumers = 3;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ledger-");

    [Fact]
    public void Inspect_AllProcessedAsSent_FindsNothing()
    {
        using var ledger = Write(sent: 10, acknowledged: new Position(10, 7), processed: new Position(10, 7));

        Assert.Empty(ledger.Inspect());
        Assert.Equal(0, ledger.Read().Lost);
        Assert.Equal(10, ledger.Read().Processed);
    }

    [Fact]
    public void Read_AcknowledgedAndNotProcessed_IsLost()
    {
        using var ledger = Write(sent: 10, acknowledged: new Position(10, 7), processed: new Position(8, 7));

        Assert.Equal(2, ledger.Read().Lost);
        Assert.Equal(
            "producer 1 to consumer 2: 10 events were acknowledged and 8 processed.", Assert.Single(ledger.Inspect()));
    }

    [Fact]
    public void Read_ProcessedAndNotAcknowledgedYet_IsNotLost()
    {
        using var ledger = Write(sent: 10, acknowledged: new Position(8, 7), processed: new Position(10, 7));

        Assert.Equal(0, ledger.Read().Lost);
        Assert.Equal(
            "producer 1 to consumer 2: 10 events were sent and 8 acknowledged.", Assert.Single(ledger.Inspect()));
    }

    [Fact]
    public void Inspect_OtherEventsThanSent_FindsIt()
    {
        using var ledger = Write(sent: 10, acknowledged: new Position(10, 7), processed: new Position(10, 8));

        Assert.Contains("the digests differ", Assert.Single(ledger.Inspect()), StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    // Only one track has events; all others have none.
    private Ledger Write(long sent, Position acknowledged, Position processed)
    {
        using (var producer = ProducerJournal.Open(Cast.ProducerJournalPath(_directory.FullName, 1), Consumers))
        using (var consumer = new Journal(Cast.ConsumerJournalPath(_directory.FullName, 2), Producers))
        {
            producer.Write(ProducerJournal.SentTrack(producer, 2), new Position(sent, 0));
            producer.Write(2, acknowledged);
            consumer.Write(1, processed);
        }

        return new Ledger(_directory.FullName, Producers, Consumers);
    }
}
