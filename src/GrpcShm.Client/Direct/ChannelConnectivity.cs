using Grpc.Core;

namespace GrpcShm.Client.Direct;

/// <summary>
/// The state of a channel, as its connections and its attempts to connect report it, and those who wait for a change.
/// Any thread.
/// </summary>
/// <remarks>
/// Owners report each change under their own gates, so the reports come in order, and a state that lasts for a moment
/// only is a change, too. The gate here is a leaf. Waiting code is foreign code, so it goes on on the thread pool, and
/// never on the thread that reports: that may be a reactor, or hold a lock.
/// </remarks>
internal sealed class ChannelConnectivity
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _change = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ConnectivityState _state = ConnectivityState.Idle;
    private int _connections;
    private int _attempts;
    private bool _hasFailed;
    private bool _isShutDown;

    public ConnectivityState State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    /// <summary>Waits until the state is another one, or has been another one since this method was called.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> has fired.</exception>
    public Task WaitForChangeAsync(ConnectivityState lastObserved, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return _state == lastObserved ? _change.Task.WaitAsync(cancellationToken) : Task.CompletedTask;
        }
    }

    public void BeginAttempt()
    {
        lock (_gate)
        {
            _attempts++;
            Update();
        }
    }

    /// <summary>Ends an attempt, after the connection that it has made was added.</summary>
    public void EndAttempt(bool hasFailed)
    {
        lock (_gate)
        {
            _attempts--;
            _hasFailed = hasFailed;
            Update();
        }
    }

    /// <summary>Ends an attempt that nobody waits for any more, so that nothing is known of the server.</summary>
    public void GiveUpAttempt()
    {
        lock (_gate)
        {
            _attempts--;
            Update();
        }
    }

    public void AddConnection()
    {
        lock (_gate)
        {
            _connections++;
            _hasFailed = false;
            Update();
        }
    }

    public void RemoveConnection()
    {
        lock (_gate)
        {
            _connections--;
            Update();
        }
    }

    /// <summary>Says that the channel has been disposed. Its state never changes again.</summary>
    public void ShutDown()
    {
        lock (_gate)
        {
            _isShutDown = true;
            Update();
        }
    }

    /// <summary>Under the gate.</summary>
    private void Update()
    {
        var state = _isShutDown ? ConnectivityState.Shutdown
            : _connections > 0 ? ConnectivityState.Ready
            : _attempts > 0 ? ConnectivityState.Connecting
            : _hasFailed ? ConnectivityState.TransientFailure
            : ConnectivityState.Idle;
        if (state == _state)
        {
            return;
        }

        _state = state;
        ThreadPool.UnsafeQueueUserWorkItem(
            static change => change.SetResult(), _change, preferLocal: false);
        _change = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
