using System.Diagnostics;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Client.Direct;

/// <summary>
/// Asks a silent server for signs of life while calls are under way, and ends the connection if there are none. Without
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

    private KeepAlive(SharedMemoryClientOptions options, SharedMemoryConnection connection, CallConnection calls)
    {
        _connection = connection;
        _calls = calls;
        _delay = options.KeepAlivePingDelay;
        _timeout = options.KeepAlivePingTimeout;
        _period = _delay / 4;
        using (ExecutionContext.SuppressFlow())
        {
            _timer = new Timer(static state => ((KeepAlive)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    public static KeepAlive? Create(SharedMemoryClientOptions options, SharedMemoryConnection connection, CallConnection calls) =>
        options.KeepAlivePingDelay == Timeout.InfiniteTimeSpan ? null : new KeepAlive(options, connection, calls);

    /// <summary>Calls are under way.</summary>
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
                CloseCode.Aborted, $"The server did not answer a keep-alive ping within {_timeout}.", ByPeer: false));
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
