using System.IO.MemoryMappedFiles;

namespace Samples.Stress.Journals;

/// <summary>
/// The data of a process that must survive a kill: the position of each of its tracks, and its counters. It is a mapped
/// file. So a write takes some nanoseconds, survives the process at once, and the first process can read it meanwhile.
/// </summary>
/// <remarks>
/// One process writes at a time. Each track has two copies of its position and a version. The lowest bit of the version
/// says which copy is valid. The writer fills the other copy and then increments the version (release). If the process
/// is killed in between, the valid copy is unchanged. The reader reads the valid copy, and reads it again if the
/// version has changed meanwhile, since a copy is filled again only after the version has changed.
/// </remarks>
internal sealed unsafe class Journal : IDisposable
{
    private const int CounterSize = 64;
    private const int TracksOffset = 4096;
    private const int TrackSize = 128;
    private const int CopiesOffset = 64;
    private const int CopySize = 16;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    public Journal(string path, int tracks)
    {
        Tracks = tracks;
        var size = TracksOffset + ((long)tracks * TrackSize);
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.OpenOrCreate, mapName: null, size);
        _view = _file.CreateViewAccessor(0, size);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    public int Tracks { get; }

    public long this[Counter counter] => Volatile.Read(ref At((int)counter * CounterSize));

    public void Count(Counter counter, long by = 1) => Interlocked.Add(ref At((int)counter * CounterSize), by);

    public Position Read(int track)
    {
        while (true)
        {
            ref var version = ref At(OffsetOf(track));
            var before = Volatile.Read(ref version);
            var copy = OffsetOf(track) + CopiesOffset + ((int)(before & 1) * CopySize);
            var position = new Position(Volatile.Read(ref At(copy)), (ulong)Volatile.Read(ref At(copy + sizeof(long))));

            // The loads above are acquires, so this load comes after them.
            if (Volatile.Read(ref version) == before)
            {
                return position;
            }
        }
    }

    public void Write(int track, Position position)
    {
        ref var version = ref At(OffsetOf(track));
        var next = version + 1;
        var copy = OffsetOf(track) + CopiesOffset + ((int)(next & 1) * CopySize);
        At(copy) = position.Sequence;
        At(copy + sizeof(long)) = (long)position.Digest;
        Volatile.Write(ref version, next);
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private static int OffsetOf(int track) => TracksOffset + (track * TrackSize);

    private ref long At(int offset) => ref *(long*)(_start + offset);
}
