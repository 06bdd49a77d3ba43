using Samples.Stress.Journals;
using Samples.Stress.Roles;

namespace GrpcShm.Samples.Tests.Stress;

public sealed class ConsumerTests : IDisposable
{
    private const int Producer = 1;
    private const int Consumer = 3;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("consumer-");
    private readonly Journal _journal;
    private readonly ConsumerProgram _consumer;

    public ConsumerTests()
    {
        _journal = new Journal(Path.Combine(_directory.FullName, "journal"), tracks: 2);
        _consumer = new ConsumerProgram(Consumer, _journal);
    }

    [Fact]
    public void Process_InOrder_MovesOnWithTheDigestOfWhatWasSent()
    {
        ulong digest = 0;
        for (var sequence = 1; sequence <= 5; sequence++)
        {
            digest = StressEvent.Create(Producer, Consumer, sequence, 100, out var payload).Extend(digest);
            _consumer.Process(payload);
        }

        Assert.Equal(new Position(5, digest), _journal.Read(Producer));
        Assert.Equal(new Position(0, 0), _journal.Read(0));
    }

    [Fact]
    public void Process_Again_IsCountedAndChangesNothing()
    {
        _consumer.Process(Make(1));
        var before = _journal.Read(Producer);

        _consumer.Process(Make(1));

        Assert.Equal(before, _journal.Read(Producer));
        Assert.Equal(1, _journal[Counter.Duplicates]);
    }

    [Fact]
    public void Process_OneIsMissing_IsRefused()
    {
        _consumer.Process(Make(1));

        Assert.Throws<InvalidDataException>(() => _consumer.Process(Make(3)));

        Assert.Equal(1, _journal.Read(Producer).Sequence);
        Assert.Equal(1, _journal[Counter.Refused]);
    }

    [Fact]
    public void Process_AnyBitFlipped_IsCorrupt()
    {
        var payload = Make(1);
        for (var bit = 0; bit < payload.Length * 8; bit++)
        {
            var damaged = (byte[])payload.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<InvalidDataException>(() => _consumer.Process(damaged));
        }

        Assert.Throws<InvalidDataException>(() => _consumer.Process(payload.AsSpan(..^1)));
        Assert.Throws<InvalidDataException>(() => _consumer.Process([]));
        Assert.Equal((payload.Length * 8) + 2, _journal[Counter.Corrupt]);
        Assert.Equal(0, _journal.Read(Producer).Sequence);
    }

    [Fact]
    public void Process_ForAnotherConsumer_IsCorrupt()
    {
        StressEvent.Create(Producer, Consumer + 1, 1, 100, out var payload);

        Assert.Throws<InvalidDataException>(() => _consumer.Process(payload));

        Assert.Equal(1, _journal[Counter.Corrupt]);
    }

    public void Dispose()
    {
        _journal.Dispose();
        _directory.Delete(recursive: true);
    }

    private static byte[] Make(long sequence)
    {
        StressEvent.Create(Producer, Consumer, sequence, 100, out var payload);
        return payload;
    }
}
