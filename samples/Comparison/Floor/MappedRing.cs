using System.IO.MemoryMappedFiles;

namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>
/// One direction: a writer and a reader in different processes, each with a cursor on cache lines of its own.
/// </summary>
/// <remarks>
/// Only the writer moves the tail, after it has written (release). A reader that sees the tail (acquire) also sees the
/// bytes. Only the reader moves the head, after it has read. The writer overwrites only bytes before the head.
/// </remarks>
internal sealed unsafe class MappedRing : IDisposable
{
    private const int Capacity = 256 * 1024;
    private const int TailOffset = 0;
    private const int HeadOffset = 128;
    private const int ClosedOffset = 256;
    private const int DataOffset = 4096;

    public const int Size = DataOffset + Capacity;

    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    public MappedRing(MemoryMappedFile file, int index)
    {
        _view = file.CreateViewAccessor((long)index * Size, Size);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    /// <summary>True if one of the two ends has closed.</summary>
    public bool IsClosed => Volatile.Read(ref At(ClosedOffset)) != 0;

    /// <summary>Copies in as many bytes as there is room for.</summary>
    public int Write(ReadOnlySpan<byte> source)
    {
        var tail = At(TailOffset);
        var room = Capacity - (int)(tail - Volatile.Read(ref At(HeadOffset)));
        var count = Math.Min(source.Length, room);
        var offset = (int)(tail % Capacity);
        var first = Math.Min(count, Capacity - offset);
        source[..first].CopyTo(new Span<byte>(_start + DataOffset + offset, first));
        source[first..count].CopyTo(new Span<byte>(_start + DataOffset, count - first));
        Volatile.Write(ref At(TailOffset), tail + count);
        return count;
    }

    /// <summary>Copies out as many bytes as there are and fit.</summary>
    public int Read(Span<byte> destination)
    {
        var head = At(HeadOffset);
        var count = (int)Math.Min(destination.Length, Volatile.Read(ref At(TailOffset)) - head);
        if (count == 0)
        {
            return 0;
        }

        var offset = (int)(head % Capacity);
        var first = Math.Min(count, Capacity - offset);
        new ReadOnlySpan<byte>(_start + DataOffset + offset, first).CopyTo(destination);
        new ReadOnlySpan<byte>(_start + DataOffset, count - first).CopyTo(destination[first..]);
        Volatile.Write(ref At(HeadOffset), head + count);
        return count;
    }

    public void Close() => Volatile.Write(ref At(ClosedOffset), 1);

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
    }

    private ref long At(int offset) => ref *(long*)(_start + offset);
}
