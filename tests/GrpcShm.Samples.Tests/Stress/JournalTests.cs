using Samples.Stress.Journals;

namespace GrpcShm.Samples.Tests.Stress;

public sealed class JournalTests : IDisposable
{
    private const int Tracks = 3;
    private const long Writes = 1_000_000;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("journal-");

    private string FilePath => Path.Combine(_directory.FullName, "journal");

    [Fact]
    public void Open_Again_HasWhatWasWritten()
    {
        using (var first = new Journal(FilePath, Tracks))
        {
            first.Write(1, new Position(4, 5));
            first.Write(1, new Position(6, 7));
            first.Count(Counter.Sent, 8);
        }

        using var second = new Journal(FilePath, Tracks);
        Assert.Equal(new Position(6, 7), second.Read(1));
        Assert.Equal(new Position(0, 0), second.Read(2));
        Assert.Equal(8, second[Counter.Sent]);
    }

    [Fact]
    public async Task Read_WhileAnotherMappingWrites_IsNeverTorn()
    {
        using var writer = new Journal(FilePath, Tracks);
        using var reader = new Journal(FilePath, Tracks);
        var writing = Task.Run(() =>
        {
            for (long i = 1; i <= Writes; i++)
            {
                writer.Write(0, new Position(i, DigestOf(i)));
            }
        });

        var last = 0L;
        while (last < Writes)
        {
            var position = reader.Read(0);
            Assert.True(position.Sequence >= last, $"{position.Sequence} came after {last}.");
            Assert.Equal(position.Sequence == 0 ? 0 : DigestOf(position.Sequence), position.Digest);
            last = position.Sequence;
        }

        await writing.WaitAsync(TimeSpan.FromSeconds(30));
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private static ulong DigestOf(long sequence) => ~(ulong)sequence;
}
