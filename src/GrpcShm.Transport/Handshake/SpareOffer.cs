namespace GrpcShm.Transport.Handshake;

/// <summary>
/// Makes what a listener's next client will be given before that client comes: to allocate it takes longer than all the
/// rest of a handshake. There is one at most, of the listener's own ring size, and none before the first client.
/// </summary>
internal sealed class SpareOffer : IThreadPoolWorkItem, IDisposable
{
    private readonly int _ringSize;
    private readonly Lock _gate = new();
    private SegmentOffer? _offer;
    private bool _isPreparing;
    private bool _isDisposed;

    public SpareOffer(int ringSize) => _ringSize = ringSize;

    /// <summary>Whether there is one.</summary>
    public bool IsReady
    {
        get
        {
            lock (_gate)
            {
                return _offer is not null;
            }
        }
    }

    /// <summary>
    /// Takes it, if it is there and has the right size, and no other follows by itself. If not, one is made on the
    /// thread pool: that takes the longer the larger the rings are that a client wants, and the reactor has others to
    /// serve.
    /// </summary>
    /// <exception cref="IOException">The system lacks memory or handles.</exception>
    public ValueTask<SegmentOffer> TakeAsync(int clientToServerSize, int serverToClientSize) =>
        clientToServerSize == _ringSize && serverToClientSize == _ringSize && TryTake() is { } ready
            ? ValueTask.FromResult(ready)
            : new ValueTask<SegmentOffer>(Task.Run(() => SegmentOffer.Create(clientToServerSize, serverToClientSize)));

    /// <summary>Has one made on the thread pool, if there is none.</summary>
    public void Prepare()
    {
        lock (_gate)
        {
            if (_offer is not null || _isPreparing || _isDisposed)
            {
                return;
            }

            _isPreparing = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        SegmentOffer? offer = null;
        try
        {
            offer = SegmentOffer.Create(_ringSize, _ringSize);
        }
        catch (IOException)
        {
            // Nobody has asked for it yet. The next client's handshake makes its own, and says so if it still can't.
        }

        lock (_gate)
        {
            _isPreparing = false;
            if (!_isDisposed)
            {
                _offer = offer;
                offer = null;
            }
        }

        offer?.Dispose();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
        }

        TryTake()?.Dispose();
    }

    private SegmentOffer? TryTake()
    {
        lock (_gate)
        {
            var offer = _offer;
            _offer = null;
            return offer;
        }
    }
}
