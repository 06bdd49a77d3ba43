using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Signaling;

/// <summary>The system's own poller, which fails on demand and notices misuse.</summary>
internal sealed class TestPoller(Poller inner) : Poller
{
    private int _waiting;
    private int _disposals;
    private volatile string? _misuse;

    /// <summary>The exception that the next wait throws.</summary>
    public Exception? Failure { get; set; }

    public bool IsDisposed => Volatile.Read(ref _disposals) != 0;

    /// <summary>The misuse that was noticed, if any.</summary>
    public string? Misuse => _misuse;

    public override void Add(IPollSource source, ulong token)
    {
        CheckNotDisposed("Add");
        inner.Add(source, token);
    }

    public override void Remove(IPollSource source)
    {
        CheckNotDisposed("Remove");
        inner.Remove(source);
    }

    public override int Wait(Span<PollEvent> events, int milliseconds)
    {
        CheckNotDisposed("Wait");
        if (Interlocked.Increment(ref _waiting) != 1)
        {
            _misuse = "Two threads waited.";
        }

        try
        {
            return Failure is { } failure ? throw failure : inner.Wait(events, milliseconds);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    public override void Wake()
    {
        CheckNotDisposed("Wake");
        inner.Wake();
    }

    public override void Pause() => inner.Pause();

    public override void Dispose()
    {
        if (Volatile.Read(ref _waiting) != 0)
        {
            _misuse = "It was disposed of during a wait.";
        }

        if (Interlocked.Increment(ref _disposals) != 1)
        {
            _misuse = "It was disposed of twice.";
        }

        inner.Dispose();
    }

    private void CheckNotDisposed(string what)
    {
        if (IsDisposed)
        {
            _misuse = $"{what} after its disposal.";
            throw new ObjectDisposedException(nameof(TestPoller), _misuse);
        }
    }
}
