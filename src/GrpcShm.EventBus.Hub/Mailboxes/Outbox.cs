using System.Collections.Concurrent;

namespace GrpcShm.EventBus.Mailboxes;

/// <summary>
/// The subscribers of one stream whose mailboxes hold events, and the signal that wakes the stream's one writer.
/// </summary>
internal sealed class Outbox(bool runWriterInline)
{
    private readonly ConcurrentQueue<Routing.Subscriber> _ready = new();
    private readonly WakeSignal _signal = new(runWriterInline);

    public bool HasReady => !_ready.IsEmpty;

    public void AddReady(Routing.Subscriber subscriber) => _ready.Enqueue(subscriber);

    public bool TryTakeReady(out Routing.Subscriber? subscriber) => _ready.TryDequeue(out subscriber);

    /// <summary>Wakes the writer. Call it outside of all locks: the writer may run on this thread.</summary>
    public void Signal() => _signal.Set();

    /// <summary>Waits for a signal. One waiter at a time.</summary>
    public ValueTask WaitAsync() => _signal.WaitAsync();
}
