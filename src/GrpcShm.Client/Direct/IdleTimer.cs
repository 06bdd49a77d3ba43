namespace GrpcShm.Client.Direct;

/// <summary>
/// Retires a connection that has had no call for a while. Armed by the first call that leaves none behind, and not by
/// each: if there were others in the meantime, it waits once more.
/// </summary>
/// <remarks>
/// Whether it is armed is set by whoever arms it, and cleared by the timer when it finds calls. The last call ends,
/// then <c>_isArmed</c> is read; <c>_isArmed</c> is cleared, then the calls are read. Both are full fences, so one of
/// the two arms it.
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

    /// <summary>The connection has no calls. Any thread.</summary>
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
