namespace GrpcShm.EventBus.Lanes;

/// <summary>
/// How long the reader of a session has waited for its client in all. While the reader has commands in hand, a client
/// that is silent need not be: what it says may wait behind these.
/// </summary>
/// <remarks>The reader writes it, and any thread reads it: a moment too little, but never too much.</remarks>
internal sealed class ReaderIdleness
{
    private long _before;

    // Zero while the reader is busy.
    private long _since;

    /// <summary>The time in milliseconds.</summary>
    public long Milliseconds
    {
        get
        {
            var before = Volatile.Read(ref _before);
            var since = Volatile.Read(ref _since);
            return before + (since == 0 ? 0 : Environment.TickCount64 - since);
        }
    }

    /// <summary>The reader begins to wait.</summary>
    public void Begin() => Volatile.Write(ref _since, Environment.TickCount64);

    /// <summary>The reader has something to do.</summary>
    public void End()
    {
        // In this order: nobody counts the same time twice.
        var waited = Environment.TickCount64 - _since;
        Volatile.Write(ref _since, 0);
        Volatile.Write(ref _before, _before + waited);
    }
}
