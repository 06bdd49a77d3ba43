namespace GrpcShm.Client.Direct;

/// <summary>
/// Retires a connection that has had no calls for a while. Not every call that ends as the last one arms the timer: it
/// stays armed, and when it fires and there were other calls in the meantime, it waits once more.
/// </summary>
/// <remarks>
/// <c>_isArmed</c> is set by whoever arms the timer, and cleared by the timer when it finds calls. The last call ends,
/// then <c>_isArmed</c> is read; <c>_isArmed</c> is cleared, then the calls are read. Both are full fences, so one of
/// the two arms the timer.
/// </remarks>
internal sealed class IdleTimer : IDisposable
{
    private readonly TimeSpan _timeout;
    private readonly DirectConnection _connection;
    private readonly Timer _timer;
    private long _seen;
    private int _isArmed;
    private volatile bool _isDisposed;

    private IdleTimer(TimeSpan timeout, DirectConnection connection)
    {
        _timeout = timeout;
        _connection = connection;
        using (ExecutionContext.SuppressFlow())
        {
            _timer = new Timer(
                static state => ((IdleTimer)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    public static IdleTimer? Create(TimeSpan timeout, DirectConnection connection) =>
        timeout == Timeout.InfiniteTimeSpan ? null : new IdleTimer(timeout, connection);

    /// <summary>Starts the time, since the connection has no calls. Any thread.</summary>
    public void Arm()
    {
        if (Volatile.Read(ref _isArmed) == 0 && Interlocked.Exchange(ref _isArmed, 1) == 0)
        {
            Start();
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        _timer.Dispose();
    }

    private void Start()
    {
        _seen = _connection.Uses;
        try
        {
            _timer.Change(_timeout, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException) when (_isDisposed)
        {
            // The connection has ended.
        }
    }

    private void Tick()
    {
        if (_connection.IsUsed)
        {
            Interlocked.Exchange(ref _isArmed, 0);
            if (!_connection.IsUsed)
            {
                Arm();
            }
        }
        else if (_connection.Uses != _seen)
        {
            Start();
        }
        else
        {
            _connection.Retire();
        }
    }
}
