using GrpcShm.Client.Diagnostics;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Client.Direct;

/// <summary>
/// A connection in direct mode, with all calls of its channel on it. One that takes no more calls is retired: those under
/// way end on it, then it is closed.
/// </summary>
/// <remarks>
/// A call that begins and the closing of an unused connection meet like this: the call is counted, then <c>_isClosing</c>
/// is read; <c>_isClosing</c> is set, then the count is read. Both are full fences, so at least one of them sees the other
/// and steps back. Counted are calls whose responses are of interest to somebody: one that was given up may wait for the
/// server's answer for a long time.
/// </remarks>
internal sealed class DirectConnection
{
    private readonly SharedMemoryConnection _connection;
    private readonly ClientConnections _owner;
    private readonly KeepAlive? _keepAlive;
    private readonly OpenConnection? _measure;
    private readonly Lock _closing = new();
    private bool _isClosed;
    private volatile bool _isRetired;
    private volatile bool _isFull;
    private int _isClosing;
    private int _used;

    /// <summary>Takes over a connection.</summary>
    /// <exception cref="ObjectDisposedException">It has ended already; it has been disposed.</exception>
    public DirectConnection(SharedMemoryConnection connection, ClientConnections owner)
    {
        _connection = connection;
        _owner = owner;
        Calls = new CallConnection(connection, new CallSettings(), acceptor: null)
        {
            ResetException = CallFailures.Reset,
            OnGoingAway = Retire,
        };
        try
        {
            Calls.Start();
        }
        catch
        {
            connection.Dispose();
            throw;
        }

        _keepAlive = KeepAlive.Create(owner.Options.KeepAlivePingDelay, owner.Options.KeepAlivePingTimeout, connection, Calls);
        _measure = owner.Diagnostics.ConnectionOpened();
        _ = WatchAsync();
    }

    public CallConnection Calls { get; }

    /// <summary>Whether it has as many calls as it may, until one of them ends.</summary>
    public bool IsFull => _isFull;

    /// <summary>Adds a call. Any thread.</summary>
    /// <returns>Whether it is taken. Then <see cref="ResponseEnded"/> has to follow.</returns>
    public bool TryAdd(ClientCall call)
    {
        Interlocked.Increment(ref _used);
        if (Volatile.Read(ref _isClosing) != 0 || !Calls.TryBegin(call))
        {
            ResponseEnded();
            if (Calls.ActiveCalls >= Calls.Settings.MaxCalls)
            {
                _isFull = true;
            }
            else
            {
                Retire();
            }

            return false;
        }

        _keepAlive?.Start();
        _measure?.BecomeActive();
        return true;
    }

    /// <summary>Nobody is interested in a call any more.</summary>
    public void ResponseEnded()
    {
        if (_isFull)
        {
            _isFull = false;
        }

        if (Interlocked.Decrement(ref _used) == 0)
        {
            _measure?.BecomeIdle(ref _used);
            if (_isRetired)
            {
                CloseIfUnused();
            }
            else
            {
                _owner.RetireIfSurplus(this);
            }
        }
    }

    /// <summary>Takes no more calls.</summary>
    public void Retire()
    {
        _owner.Remove(this);
        _isRetired = true;
        CloseIfUnused();
    }

    /// <summary>A call that the server has not begun has failed: it may have more luck elsewhere.</summary>
    /// <param name="pending">The request.</param>
    /// <param name="isRefused">Whether the server has said that it does not take the call.</param>
    public void TryElsewhere(PendingRequest pending, bool isRefused)
    {
        if (!isRefused || Calls.IsGoingAway)
        {
            Retire();
        }
        else
        {
            // It has as many as it takes. Calls that end on this side may not have ended on that side yet.
            _isFull = Volatile.Read(ref _used) > 0;
        }

        _owner.Retry(pending);
    }

    /// <summary>Whether the server has not begun a call for sure which was lost with this connection.</summary>
    /// <param name="hasBegun">Whether the server may have heard of it.</param>
    public bool HasNotBegun(bool hasBegun)
    {
        if (!hasBegun)
        {
            return true;
        }

        // A server that goes away closes the connection when the last of the calls that it has taken has ended.
        return _connection.Cause is { ByPeer: true, Code: CloseCode.NotServed }
            || (Calls.IsGoingAway && _connection.Cause is { ByPeer: true, Code: CloseCode.Graceful });
    }

    private void CloseIfUnused()
    {
        lock (_closing)
        {
            if (_isClosed)
            {
                return;
            }

            Interlocked.Exchange(ref _isClosing, 1);
            if (Volatile.Read(ref _used) > 0)
            {
                // One that is just being added either steps back, and this is called again, or has not seen a thing.
                Interlocked.Exchange(ref _isClosing, 0);
                return;
            }

            _isClosed = true;
        }

        if (Reactor.Running is null)
        {
            _connection.Dispose();
        }
        else
        {
            // It logs, and a logger is foreign code.
            ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.Dispose(), _connection, preferLocal: false);
        }
    }

    private async Task WatchAsync()
    {
        await Calls.Completion.ConfigureAwait(false);
        _keepAlive?.Dispose();
        _measure?.Dispose();
        _owner.Remove(this);
        _connection.Dispose();
    }
}
