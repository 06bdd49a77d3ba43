namespace GrpcShm.Transport.Handshake;

/// <summary>
/// Makes the memory and the doorbells for a listener's next client before that client comes: to allocate them takes
/// longer than all other steps of a handshake. There is at most one spare, of the listener's own ring size, and none
/// before the first client.
/// </summary>
internal sealed class SpareOffer : IThreadPoolWorkItem, IDisposable
{
    private readonly int _ringSize;
    private readonly Lock _gate = new();
    private SegmentOffer? _offer;
    private bool _isPreparing;
    private bool _isDisposed;

    public SpareOffer(int ringSize) => _ringSize = ringSize;

    /// <summary>Whether there is a spare.</summary>
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
    /// Takes the spare, if it is there and has the right sizes; it is not replaced by itself. If not, an offer is made
    /// on the thread pool: that takes the longer the larger the client's rings are, and the reactor has others to
    /// serve.
    /// </summary>
    /// <exception cref="IOException">The system lacks memory or handles.</exception>
    public ValueTask<SegmentOffer> TakeAsync(int clientToServerSize, int serverToClientSize) =>
        clientToServerSize == _ringSize && serverToClientSize == _ringSize && TryTake() is { } ready
            ? ValueTask.FromResult(ready)
            : new ValueTask<SegmentOffer>(Task.Run(() => SegmentOffer.Create(clientToServerSize, serverToClientSize)));

    /// <summary>Lets a spare be made on the thread pool, if there is none.</summary>
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
            // Nobody needs the spare yet. The next client's handshake makes an offer itself, and reports a failure.
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
