using Grpc.Core;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// A machine of this client, or another subscription: its queue, and the loop that hands one event after the other to
/// the handlers. The loop takes a thread only while there are events.
/// </summary>
internal sealed partial class EventReceiver : IThreadPoolWorkItem, IPausable
{
    private readonly IReceiverHost _host;
    private readonly ReceiverWindow _window;
    private readonly Lock _lock = new();
    private readonly Queue<ReceivedEvent> _queue = new();
    private readonly Queue<LocalSend> _waitingForRoom = new();

    private readonly RepeatedEvents _repeated = new();
    private readonly TaskCompletionSource _standing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FailedEvents _failed = new();
    private readonly TaskCompletionSource<EventBusException> _ended = new(
        TaskCreationOptions.RunContinuationsAsynchronously);
    private Func<BusEvent, Task>[] _handlers;
    private bool _isStanding;
    private bool _isRefused;
    private bool _isRunning;

    // Under the lock: how many of its subscriptions are paused.
    private int _pauses;
    private bool _hasEnded;
    private EventBusException? _endReason;
    private string? _state;
    private long _dropped;

    public EventReceiver(
        IReceiverHost host, Subscription subscription, MachineOptions options, int window, Func<BusEvent, Task> handler)
    {
        _host = host;
        Subscription = subscription;
        Filter = new EventFilter(subscription);
        Options = options;
        _window = new ReceiverWindow(options.MailboxCapacity > 0 ? Math.Min(options.MailboxCapacity, window) : window);
        _handlers = [handler];
        subscription.Credit = (uint)_window.Size;
        subscription.Mailbox = options.ToMailbox();
    }

    public Subscription Subscription { get; }

    /// <summary>The events that it gets copies of, if it is no machine.</summary>
    public EventFilter Filter { get; }

    public MachineOptions Options { get; }

    public uint Number => Subscription.Number;

    public ClientWaits Waits => _host.Waits;

    public bool IsMachine => Subscription.FilterCase == Subscription.FilterOneofCase.Inbox;

    /// <summary>The machine's id, or a description of the subscription.</summary>
    public string Name => IsMachine ? Subscription.Inbox : Subscription.ToString();

    /// <summary>
    /// Completes when the hub has confirmed the subscription, or fails with the reason why it has not.
    /// </summary>
    public Task Standing => _standing.Task;

    /// <summary>Completes with the reason when the receiver has ended.</summary>
    public Task<EventBusException> Ended => _ended.Task;

    public bool IsStanding => Volatile.Read(ref _isStanding);

    /// <summary>True if the hub refused a part of the receiver, which will end.</summary>
    public bool IsRefused => Volatile.Read(ref _isRefused);

    public bool HasEnded => Volatile.Read(ref _hasEnded);

    /// <summary>Adds a handler, unless the receiver has ended.</summary>
    public bool TryAddHandler(Func<BusEvent, Task> handler)
    {
        lock (_lock)
        {
            if (!_hasEnded)
            {
                _handlers = [.. _handlers, handler];
            }

            return !_hasEnded;
        }
    }

    /// <summary>Removes a handler. Without its last one the receiver ends.</summary>
    /// <returns>True if the receiver ended by that.</returns>
    public bool RemoveHandler(Func<BusEvent, Task> handler)
    {
        lock (_lock)
        {
            var handlers = _handlers.ToList();
            if (_hasEnded || !handlers.Remove(handler))
            {
                return false;
            }

            _handlers = [.. handlers];
            if (_handlers.Length > 0)
            {
                return false;
            }
        }

        End(new EventBusException(StatusCode.NotFound, $"The machine '{Name}' has been unregistered.", Name));
        return true;
    }

    /// <summary>Notes that the hub refused a part of the receiver, so that the rest does not let it stand.</summary>
    public void Refuse() => Volatile.Write(ref _isRefused, true);

    /// <summary>Lets the receiver stand: events that have come, and later ones, go to the handlers.</summary>
    public void Stand()
    {
        bool run;
        lock (_lock)
        {
            Volatile.Write(ref _isStanding, true);
            run = TryRun();
        }

        _standing.TrySetResult();
        if (run)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>Notes that a session is about to write the command that subscribes.</summary>
    public void BeginIn(SessionLink session, Subscription command)
    {
        lock (_lock)
        {
            _window.BeginIn(session, command);
        }
    }

    public void Pause()
    {
        lock (_lock)
        {
            _pauses++;
        }
    }

    public void Resume()
    {
        bool run;
        lock (_lock)
        {
            _pauses--;
            run = TryRun();
        }

        if (run)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>
    /// Takes no more events. Local senders that wait are told the reason. A handler that runs is not waited for.
    /// </summary>
    public void End(EventBusException reason)
    {
        ReceivedEvent[] left;
        LocalSend[] waiting;
        lock (_lock)
        {
            if (_hasEnded)
            {
                return;
            }

            _endReason = reason;
            Volatile.Write(ref _hasEnded, true);
            left = [.. _queue];
            waiting = [.. _waitingForRoom];
            _queue.Clear();
            _waitingForRoom.Clear();
        }

        _ended.TrySetResult(reason);
        _standing.TrySetException(reason);
        _ = _standing.Task.Exception;
        foreach (var sender in left.Select(item => item.Sender).Concat(waiting))
        {
            sender?.TrySetException(reason);
        }

        // The hub answers for events that came through it.
        foreach (var item in left.Where(static item => item.Origin is TargetRoute))
        {
            var gone = Verdict.Gone(Name);
            Acknowledge(item, new Acknowledgement { StatusCode = (int)gone.Code, Message = gone.Message });
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    // Under the lock.
    private bool TryRun()
    {
        if (!_isStanding || _isRunning || _pauses > 0 || _queue.Count == 0)
        {
            return false;
        }

        _isRunning = true;
        return true;
    }
}
