using GrpcShm.EventBus.Client;

namespace GrpcShm.EventBus;

/// <summary>
/// The handler of a machine, or another subscription. <see cref="EventClient"/> gives it back when it subscribes, and
/// so does the hub for its own process. It can be paused, and ends when it is disposed of.
/// </summary>
/// <remarks>
/// While it is paused, its handler gets no events. The events wait in order: first in a client's process, as many as
/// <see cref="EventBusClientOptions.ReceiveWindow"/> says, then in the mailbox at the hub, where the overflow policy
/// holds. The senders of a machine wait, and fail with <c>ResourceExhausted</c> when they have waited for too long;
/// other subscriptions lose the oldest events. A sender that waits until its event is processed waits until the
/// subscription goes on, or until its time is over. A machine with several handlers is paused while any of their
/// subscriptions is paused.
/// </remarks>
public sealed class BusSubscription : IDisposable
{
    private readonly IPausable _receiver;
    private readonly Action _end;
    private readonly Lock _lock = new();
    private bool _isDisposed;
    private bool _isPaused;

    internal BusSubscription(IPausable receiver, Action end) => (_receiver, _end) = (receiver, end);

    /// <summary>Whether it is paused by <see cref="Pause"/>.</summary>
    public bool IsPaused
    {
        get
        {
            lock (_lock)
            {
                return _isPaused;
            }
        }
    }

    /// <summary>
    /// Holds events back. An event whose handler runs, or is about to, is still handled. Does nothing if the
    /// subscription is paused or has ended.
    /// </summary>
    public void Pause()
    {
        lock (_lock)
        {
            if (!_isDisposed && !_isPaused)
            {
                _isPaused = true;
                _receiver.Pause();
            }
        }
    }

    /// <summary>Goes on with the events that have waited. Does nothing if it is not paused.</summary>
    public void Resume()
    {
        lock (_lock)
        {
            if (_isPaused)
            {
                _isPaused = false;
                _receiver.Resume();
            }
        }
    }

    /// <summary>
    /// Ends it: its handler gets no more events. With a machine's last handler the machine is unregistered.
    /// </summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
        }

        // The handler goes first: the events that have waited are not for it any more.
        _end();
        Resume();
    }
}
