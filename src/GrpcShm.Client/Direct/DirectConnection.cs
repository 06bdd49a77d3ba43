using GrpcShm.Client.Diagnostics;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Client.Direct;

/// <summary>
/// A connection in direct mode, with all calls of its channel on it. One that takes no more calls is retired: those
/// under way end on it, then it is closed.
/// </summary>
/// <remarks>
/// A call that begins and the closing of an unused connection meet like this: the call is counted, then
/// <c>_isClosing</c> is read; <c>_isClosing</c> is set, then the count is read. Both are full fences, so at least one
/// of them sees the other and steps back. Counted are calls whose responses are of interest to somebody: one that was
/// given up may wait for the server's answer for a long time.
/// </remarks>
internal sealed class DirectConnection : IRetirable
{
    private readonly SharedMemoryConnection _connection;
    private readonly ClientConnections _owner;
    private readonly KeepAlive? _keepAlive;
    private readonly IdleTimer? _idle;
    private readonly ConnectionGauge _gauge;
    private readonly Lock _closing = new();
    private bool _isClosed;

    // Set once, by anybody, and read by anybody. Set before Remove takes the owner's gate, and read under that gate
    // before _live gets this connection: whoever comes second to the gate sees the other, so one that is retired never
    // stays in _live. With _uses: it is set, then CloseIfUnused reads the count; the count goes down, then
    // ResponseEnded reads it. Both have full fences in between, so the last one out closes.
    private volatile bool _isRetired;
    private int _isClosing;

    // The lower half counts the calls that use it, the upper half those that have done so: in one word, so that both
    // are of one moment. Changed by anybody, with full fences, and read by anybody.
    private long _uses;

    /// <summary>Takes over a connection.</summary>
    /// <exception cref="ObjectDisposedException">It has ended already.</exception>
    /// <remarks>Whatever it throws, the connection has been disposed.</remarks>
    public DirectConnection(SharedMemoryConnection connection, ClientConnections owner)
    {
        _connection = connection;
        _owner = owner;
        Calls = new CallConnection(connection, new CallSettings(), acceptor: null)
        {
            ResetException = owner.Failures.Reset,
            OnGoingAway = Retire,
            OnRoom = owner.WakeFirstWaiting,
        };

        // Before it starts: it may go away, or end, at once.
        _keepAlive = KeepAlive.Create(
            owner.Options.KeepAlivePingDelay, owner.Options.KeepAlivePingTimeout, connection, Calls);
        _idle = IdleTimer.Create(owner.Options.IdleTimeout, this);
        _gauge = owner.Diagnostics.CreateGauge();
        try
        {
            _gauge.Open();
            Calls.Start();
            _ = WatchAsync();

            // Whoever it was made for may have gone.
            _idle?.Arm();
            _gauge.BecomeIdle(this);
        }
        catch
        {
            // All of it once more if it is watched, which does no harm.
            _keepAlive?.Dispose();
            _idle?.Dispose();
            connection.Dispose();
            _gauge.Dispose();
            throw;
        }
    }

    public CallConnection Calls { get; }

    /// <summary>Its number among all of the process, for those who are told of calls.</summary>
    public long Number => _gauge.Number;

    /// <summary>Whether it takes no more calls.</summary>
    public bool IsRetired => _isRetired;

    /// <summary>Whether calls use it.</summary>
    public bool IsUsed => (uint)Uses != 0;

    /// <summary>Changes with each call that begins or ends.</summary>
    public long Uses => Volatile.Read(ref _uses);

    /// <summary>How many calls have begun to use it, in all.</summary>
    public uint Begun
    {
        get
        {
            var uses = Uses;
            return (uint)(uses >>> 32) + (uint)uses;
        }
    }

    /// <summary>How many calls have ended to use it, in all.</summary>
    public uint Ended => (uint)(Uses >>> 32);

    /// <summary>Adds a call. Any thread.</summary>
    /// <returns>Whether it is taken. Then <see cref="ResponseEnded"/> has to follow.</returns>
    public bool TryAdd(ClientCall call)
    {
        Interlocked.Increment(ref _uses);
        try
        {
            // Before the call begins: if this throws, there is nothing to be taken back.
            _gauge.BecomeActive();
        }
        catch
        {
            ResponseEnded();
            throw;
        }

        var isFull = false;
        if (Volatile.Read(ref _isClosing) != 0 || !Calls.TryBegin(call.CallStream, out isFull))
        {
            if (!isFull)
            {
                Retire();
            }

            ResponseEnded();
            return false;
        }

        _keepAlive?.Start();
        return true;
    }

    /// <summary>Nobody is interested in a call any more.</summary>
    public void ResponseEnded()
    {
        // One less in the lower half, and what that carries is one more in the upper half.
        if ((uint)Interlocked.Add(ref _uses, uint.MaxValue) == 0)
        {
            if (_isRetired)
            {
                CloseIfUnused();
            }
            else
            {
                _idle?.Arm();
            }

            _gauge.BecomeIdle(this);
        }
    }

    /// <summary>Takes no more calls.</summary>
    public void Retire()
    {
        _isRetired = true;
        _owner.Remove(this);
        CloseIfUnused();
    }

    /// <summary>A call that the server has not begun has failed: it may have more luck elsewhere.</summary>
    /// <param name="pending">The call.</param>
    /// <param name="isRefused">Whether the server has said that it does not take the call.</param>
    public void TryElsewhere(IPendingCall pending, bool isRefused)
    {
        var hasToLeave = !isRefused || Calls.IsGoingAway;
        if (hasToLeave)
        {
            Retire();
        }

        _owner.Retry(pending, isRefused: !hasToLeave);
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
            if (IsUsed)
            {
                // One that is just being added either steps back, and this is called again, or has not seen a thing.
                Interlocked.Exchange(ref _isClosing, 0);
                return;
            }

            _isClosed = true;
        }

        if (Reactor.Running is null)
        {
            _connection.CloseUnheard();
        }
        else
        {
            // It logs, and a logger is foreign code.
            ThreadPool.UnsafeQueueUserWorkItem(
                static connection => connection.CloseUnheard(), _connection, preferLocal: false);
        }
    }

    private async Task WatchAsync()
    {
        await Calls.Completion.ConfigureAwait(false);
        _keepAlive?.Dispose();
        _idle?.Dispose();
        _isRetired = true;
        _owner.Remove(this);
        _connection.CloseUnheard();

        // Last, since a listener is foreign code and may throw.
        _gauge.Dispose();
    }
}
