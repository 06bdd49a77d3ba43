namespace GrpcShm.EventBus.Forwarding;

/// <summary>
/// Events whose memory is used again. An event is made by the thread that reads the sender's session, and done with on
/// the thread that writes the receiver's, so a pool for each thread would be empty on one and full on the other.
/// </summary>
internal sealed class EventPool
{
    // As many as are on their way between a fast sender and a fast receiver. They take at most 1.5 MB.
    private const int Most = 2048;

    private readonly Lock _lock = new();
    private readonly ReceivedEvent?[] _events = new ReceivedEvent?[Most];

    // Under the lock, and read without it: a wrong look makes one event more, or leaves one to the garbage collector.
    private int _count;

    public ReceivedEvent? TryTake()
    {
        if (Volatile.Read(ref _count) == 0)
        {
            return null;
        }

        lock (_lock)
        {
            if (_count == 0)
            {
                return null;
            }

            ref var place = ref _events[--_count];
            var @event = place;
            place = null;
            return @event;
        }
    }

    public void Give(ReceivedEvent @event)
    {
        if (Volatile.Read(ref _count) == Most)
        {
            return;
        }

        lock (_lock)
        {
            if (_count < Most)
            {
                _events[_count++] = @event;
            }
        }
    }
}
