namespace GrpcShm.Differential.Hosting;

/// <summary>What the application has seen of a request. Written by its handler, read by whoever sent it.</summary>
internal sealed class CallReport : IDisposable
{
    private readonly ManualResetEventSlim _done = new();
    private volatile string? _text;
    private int _begun;
    private long _bytesRead;

    /// <summary>How often a handler has begun with it.</summary>
    public int Begun => Volatile.Read(ref _begun);

    /// <summary>
    /// How many bytes of the body the handler has had, so that a reset behind them finds a reader that waits.
    /// </summary>
    public long BytesRead => Volatile.Read(ref _bytesRead);

    /// <summary>All of it; <see langword="null"/> until the handler has ended.</summary>
    public string? Text => _text;

    public void Begin() => Interlocked.Increment(ref _begun);

    public void Read(long total) => Volatile.Write(ref _bytesRead, total);

    public void End(string text)
    {
        _text = text;
        _done.Set();
    }

    public bool Wait(TimeSpan timeout) => _done.Wait(timeout);

    public void Dispose() => _done.Dispose();
}
