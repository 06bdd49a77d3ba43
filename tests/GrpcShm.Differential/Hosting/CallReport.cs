namespace GrpcShm.Differential.Hosting;

/// <summary>All that the application has seen of a request. The handler writes it, and the sender reads it.</summary>
internal sealed class CallReport : IDisposable
{
    private readonly ManualResetEventSlim _done = new();
    private volatile string? _text;
    private int _begun;
    private long _bytesRead;

    /// <summary>How often a handler has begun to serve the request.</summary>
    public int Begun => Volatile.Read(ref _begun);

    /// <summary>The number of bytes that the handler has read. A reset after them finds a reader that waits.</summary>
    public long BytesRead => Volatile.Read(ref _bytesRead);

    /// <summary>The whole report; <see langword="null"/> until the handler has ended.</summary>
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
