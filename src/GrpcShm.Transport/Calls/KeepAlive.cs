using System.Diagnostics;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// Asks a silent peer for signs of life while calls are under way, and ends the connection if there are none. Without
/// calls there is no timer.
/// </summary>
internal sealed class KeepAlive : IDisposable
{
    private readonly SharedMemoryConnection _connection;
    private readonly CallConnection _calls;
    private readonly TimeSpan _delay;
    private readonly TimeSpan _timeout;
    private readonly TimeSpan _period;
    private readonly Timer _timer;
    private long _bytes = -1;
    private long _since;
    private int _isTicking;
    private volatile bool _isDisposed;

    private KeepAlive(TimeSpan delay, TimeSpan timeout, SharedMemoryConnection connection, CallConnection calls)
    {
        _connection = connection;
        _calls = calls;
        _delay = delay;
        _timeout = timeout;
        _period = _delay / 4;
        using (ExecutionContext.SuppressFlow())
        {
            _timer = new Timer(
                static state => ((KeepAlive)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <param name="delay">How long the peer may be silent; infinite or the largest value to never ask.</param>
    /// <param name="timeout">How long the peer may take to answer.</param>
    /// <param name="connection">The connection that ends.</param>
    /// <param name="calls">The calls on it.</param>
    public static KeepAlive? Create(
        TimeSpan delay, TimeSpan timeout, SharedMemoryConnection connection, CallConnection calls) =>
        delay == Timeout.InfiniteTimeSpan || delay == TimeSpan.MaxValue
            ? null
            : new KeepAlive(delay, timeout, connection, calls);

    /// <summary>Starts the timer, since calls are under way.</summary>
    public void Start()
    {
        if (Volatile.Read(ref _isTicking) == 0 && Interlocked.Exchange(ref _isTicking, 1) == 0)
        {
            Volatile.Write(ref _bytes, -1);
            Arm();
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        _timer.Dispose();
    }

    private void Tick()
    {
        if (_calls.ActiveCalls == 0)
        {
            Interlocked.Exchange(ref _isTicking, 0);
            if (_calls.ActiveCalls > 0)
            {
                Start();
            }

            return;
        }

        var bytes = Volatile.Read(ref _connection.Counters.BytesReceived);
        if (bytes != _bytes)
        {
            _bytes = bytes;
            _since = Stopwatch.GetTimestamp();
        }
        else if (Stopwatch.GetElapsedTime(_since) >= _delay)
        {
            _ = PingAsync();
            return;
        }

        Arm();
    }

    private async Task PingAsync()
    {
        try
        {
            await _calls.PingAsync().WaitAsync(_timeout).ConfigureAwait(false);
            _bytes = -1;
            Arm();
        }
        catch (TimeoutException)
        {
            _connection.Abort(new CloseCause(
                CloseCode.Aborted, $"The peer did not answer a keep-alive ping within {_timeout}.", ByPeer: false));
        }
        catch (IOException)
        {
            // The connection has ended by itself.
        }
    }

    private void Arm()
    {
        try
        {
            _timer.Change(_period, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException) when (_isDisposed)
        {
            // The connection has ended.
        }
    }
}
