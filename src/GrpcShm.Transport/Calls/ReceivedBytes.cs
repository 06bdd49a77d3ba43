using System.Buffers;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The bytes of a <see cref="ReceivedBody"/>, in a chain of pooled memory. Positions count from the beginning of the
/// body. One thread at a time.
/// </summary>
internal sealed class ReceivedBytes
{
    // The size of new segments at least. Only a segment of this size is kept for the next data, or the next call.
    private const int LeastSegment = 4096;

    // As large as this side's own frames: the rest of a larger segment would keep all of the segment's memory.
    private const int LargestSegment = 32 * 1024;

    private BodySegment? _first;
    private BodySegment? _last;
    private BodySegment? _lastShown;
    private BodySegment? _spare;
    private long _added;

    /// <summary>How many bytes a reader may see.</summary>
    public long Shown { get; private set; }

    /// <summary>How many bytes have been consumed.</summary>
    public long Consumed { get; private set; }

    /// <summary>The bytes that are shown and have not been consumed.</summary>
    public ReadOnlySequence<byte> Rest => Shown > Consumed
        ? new ReadOnlySequence<byte>(
            _first!,
            (int)(Consumed - _first!.RunningIndex),
            _lastShown!,
            (int)(Shown - _lastShown!.RunningIndex))
        : default;

    /// <summary>Counts a position that a reader gives back from the beginning of the body.</summary>
    /// <param name="position">The position.</param>
    /// <param name="ofNothing">The result for a position in an empty buffer.</param>
    public static long PositionOf(SequencePosition position, long ofNothing) => position.GetObject() switch
    {
        null => ofNothing,
        BodySegment segment => segment.RunningIndex + position.GetInteger(),
        _ => throw new ArgumentOutOfRangeException(nameof(position), "The position is not one of what was read."),
    };

    /// <summary>Copies bytes in, without showing them.</summary>
    public void Add(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
        {
            return;
        }

        while (data.Length > LargestSegment)
        {
            AppendSegment(LargestSegment);
            _last!.Add(data[..LargestSegment]);
            _added += LargestSegment;
            data = data[LargestSegment..];
        }

        // In one piece if possible: readers are faster then.
        if (_last is null || _last.Room < data.Length)
        {
            AppendSegment(data.Length);
        }

        _last!.Add(data);
        _added += data.Length;
    }

    /// <summary>Shows all bytes that have been added.</summary>
    /// <returns>Whether there are more than before.</returns>
    public bool Show()
    {
        var isMore = Shown < _added;
        Shown = _added;
        _lastShown = _last;
        return isMore;
    }

    /// <summary>Gives back the memory before a position.</summary>
    public void ConsumeTo(long position)
    {
        Consumed = position;
        while (_first is { } first && first != _last && first.End <= position)
        {
            _first = first.NextSegment;
            Recycle(first);
        }

        if (position == _added)
        {
            // Nothing is left: the next data begins at the beginning of a segment.
            Drop();
        }
    }

    /// <summary>Gives back all memory.</summary>
    public void Drop()
    {
        while (_first is { } first)
        {
            _first = first.NextSegment;
            Recycle(first);
        }

        Forget();
    }

    /// <summary>Leaves all memory to the garbage collector, since a reader may still look at it.</summary>
    public void Forget()
    {
        _first = null;
        _last = null;
        _lastShown = null;
    }

    /// <summary>Begins anew.</summary>
    public void Reuse()
    {
        Drop();
        _added = 0;
        Shown = 0;
        Consumed = 0;
    }

    private void AppendSegment(int size)
    {
        var segment = _spare ?? new BodySegment();
        _spare = null;
        segment.Begin(_added, Math.Max(size, LeastSegment));
        if (_last is null)
        {
            _first = segment;
        }
        else
        {
            _last.Append(segment);
        }

        _last = segment;
    }

    private void Recycle(BodySegment segment)
    {
        if (_spare is null && segment.Capacity <= LeastSegment && !segment.IsShared)
        {
            _spare = segment;
        }
        else
        {
            segment.Return();
        }
    }
}
