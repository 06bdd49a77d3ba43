using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

/// <summary>The notices that wait for one session. Any thread adds them, and the session's writer takes them.</summary>
internal sealed class OutgoingNotices
{
    // A session with more of them gets no further routes. What a route still costs after its grant is one withdrawal.
    private const int Most = 1024;
    private const int MostBytes = 256 * 1024;

    private readonly Lock _lock = new();
    private readonly Queue<(LaneNotice Notice, int Size)> _notices = new();
    private int _bytes;
    private int _count;

    /// <summary>How many there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>True if the client has too many of them to read.</summary>
    public bool IsFull
    {
        get
        {
            lock (_lock)
            {
                return _notices.Count >= Most || _bytes >= MostBytes;
            }
        }
    }

    /// <summary>Adds a notice. It is written once the session's outbox is signalled.</summary>
    public void Add(LaneNotice notice)
    {
        var size = notice.CalculateSize();
        lock (_lock)
        {
            _notices.Enqueue((notice, size));
            _bytes += size;
            Volatile.Write(ref _count, _notices.Count);
        }
    }

    /// <summary>Takes all of them, in order.</summary>
    /// <returns>How many bytes they have.</returns>
    public int TakeAll(ICollection<LaneNotice> destination)
    {
        if (Count == 0)
        {
            return 0;
        }

        lock (_lock)
        {
            foreach (var (notice, _) in _notices)
            {
                destination.Add(notice);
            }

            var bytes = _bytes;
            _notices.Clear();
            _bytes = 0;
            Volatile.Write(ref _count, 0);
            return bytes;
        }
    }
}
