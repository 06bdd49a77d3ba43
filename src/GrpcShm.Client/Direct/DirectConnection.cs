using GrpcShm.Client.Diagnostics;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Client.Direct;

/// <summary>
/// A connection in direct mode, which carries calls of its channel. A connection that takes no more calls is retired:
/// the calls under way end on it, then it is closed.
/// </summary>
/// <remarks>
/// A call that begins and the closing of an unused connection meet like this: the call is counted, then
/// <c>_isClosing</c> is read; <c>_isClosing</c> is set, then the count is read. Both are full fences, so at least one
/// of the two sees the other and steps back. Only calls whose response somebody still wants are counted: a call that
/// was given up may wait for the server's answer for a long time.
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

    // Set once, by anybody, and read by anybody. Set before Remove takes the gate of the owner's table, and read under
    // that gate before the table gets this connection: whoever comes second to the gate sees the other, so a retired
    // connection never stays in the table. With _uses: _isRetired is set, then CloseIfUnused reads the count; the count
    // goes down, then ReleaseCall reads _isRetired. Both have full fences in between, so the last of the two closes.
    private volatile bool _isRetired;
    private int _isClosing;

    // The lower half counts the calls that use the connection, the upper half the calls that no longer do: in one word,
    // so that both are of one moment. Changed by anybody, with full fences, and read by anybody.
    private long _uses;

    /// <summary>Takes over a connection.</summary>
    /// <exception cref="ObjectDisposedException">The connection has ended already.</exception>
    /// <remarks>Whatever is thrown, the connection has been disposed by then.</remarks>
    public DirectConnection(SharedMemoryConnection connection, ClientConnections owner)
    {
        _connection = connection;
        _owner = owner;
        Calls = new CallConnection(connection, new CallSettings(), acceptor: null)
        {
            ResetException = owner.Failures.CreateReset,
            OnGoingAway = Retire,
            OnRoom = owner.WakeFirstWaiting,
        };

        // Before the connection starts: it may go away, or end, at once.
        _keepAlive = KeepAlive.Create(
            owner.Options.KeepAlivePingDelay, owner.Options.KeepAlivePingTimeout, connection, Calls);
        _idle = IdleTimer.Create(owner.Options.IdleTimeout, this);
        _gauge = owner.Diagnostics.CreateGauge();
        try
        {
            _gauge.Open();
            Calls.Start();
            _ = WatchAsync();

            // The call that it was made for may have been given up.
            _idle?.Arm();
            _gauge.BecomeIdle(this);
        }
        catch
        {
            // WatchAsync may dispose of all this, too. To dispose twice does no harm.
            _keepAlive?.Dispose();
            _idle?.Dispose();
            connection.Dispose();
            _gauge.Dispose();
            throw;
        }
    }

    public CallConnection Calls { get; }

    /// <summary>The number of the connection, unique in the process, for listeners of events.</summary>
    public long Number => _gauge.Number;

    /// <summary>True once the connection takes no more calls.</summary>
    public bool IsRetired => _isRetired;

    /// <summary>True while calls use the connection.</summary>
    public bool IsUsed => (uint)Uses != 0;

    /// <summary>Changes with each call that begins or ends.</summary>
    public long Uses => Volatile.Read(ref _uses);

    /// <summary>The number of calls that have ever begun to use the connection.</summary>
    public uint Begun
    {
        get
        {
            var uses = Uses;
            return (uint)(uses >>> 32) + (uint)uses;
        }
    }

    /// <summary>The number of calls that have ever ceased to use the connection.</summary>
    public uint Ended => (uint)(Uses >>> 32);

    /// <summary>Adds a call. Any thread.</summary>
    /// <returns>True if the connection takes the call. Then <see cref="ReleaseCall"/> has to follow.</returns>
    public bool TryAdd(ClientCall call)
    {
        Interlocked.Increment(ref _uses);
        try
        {
            // Before the call begins: if this throws, nothing has to be undone but the count.
            _gauge.BecomeActive();
        }
        catch
        {
            ReleaseCall();
            throw;
        }

        var isFull = false;
        if (Volatile.Read(ref _isClosing) != 0 || !Calls.TryBegin(call.CallStream, out isFull))
        {
            if (!isFull)
            {
                Retire();
            }

            ReleaseCall();
            return false;
        }

        _keepAlive?.Start();
        return true;
    }

    /// <summary>Takes a call off the connection: nobody wants its response any more.</summary>
    public void ReleaseCall()
    {
        // One less in the lower half. The carry of this addition is one more in the upper half.
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

    public void Retire()
    {
        _isRetired = true;
        _owner.Remove(this);
        CloseIfUnused();
    }

    /// <summary>Sends a call once more that has failed before the server began it.</summary>
    /// <param name="pending">The call.</param>
    /// <param name="isRefused">True if the server has said that it does not take the call.</param>
    public void TryElsewhere(IPendingCall pending, bool isRefused)
    {
        var hasToLeave = !isRefused || Calls.IsGoingAway;
        if (hasToLeave)
        {
            Retire();
        }

        _owner.Retry(pending, isRefused: !hasToLeave);
    }

    /// <summary>
    /// True if it is certain that the server has not begun a call that was lost with this connection.
    /// </summary>
    /// <param name="hasBegun">True if the server may have heard of the call.</param>
    public bool HasNotBegun(bool hasBegun)
    {
        if (!hasBegun)
        {
            return true;
        }

        // A server that goes away closes the connection in order, when the last call that it has taken has ended.
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
                // A call that is added at this moment has either seen _isClosing: then it steps back, and this method
                // is called again. Or it has seen nothing, and goes on.
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
            // Closing logs, and a logger is foreign code, which must not run on a reactor.
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
