using GrpcShm.EventBus.Diagnostics;
using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// The events that a client, or the hub for its own process, raises, and their lines in the log. Listeners run on the
/// thread pool, one after the other, in the order in which things happened.
/// </summary>
internal sealed class RaisedEvents(object sender, ILogger logger)
{
    // Its own lock guards it and _isRaising.
    private readonly Queue<Action> _raised = new();
    private readonly RepeatedLines _failedAttempts = new();
    private readonly RepeatedLines _failedSends = new();
    private readonly RepeatedLines _losses = new();
    private readonly RepeatedLines _failedListeners = new(most: 1);
    private bool _isRaising;

    public event EventHandler<EventBusConnectionChange>? ConnectionChanged;

    public event EventHandler<EventSendFailure>? SendFailed;

    public event EventHandler<EventHandlerFailure>? HandlerFailed;

    public event EventHandler<EventLoss>? EventsLost;

    public event EventHandler<MachineLoss>? MachineLost;

    /// <summary>Writes the state of the client's connection into the log.</summary>
    public void LogConnection(EventBusConnectionState state, Exception? reason) =>
        logger.ConnectionChanged(state, reason?.Message ?? "");

    /// <summary>
    /// Writes into the log why an attempt to connect failed. A hub that comes and goes can cause many of these lines.
    /// </summary>
    public void LogFailedAttempt(string reason)
    {
        if (_failedAttempts.Next(out var leftOut))
        {
            WriteLeftOut(nameof(EventBusLog.ConnectFailed), leftOut);
            logger.ConnectFailed(reason);
        }
    }

    /// <summary>Writes into the log that the attempts to connect have ended, though no owner wished for it.</summary>
    public void LogEndOfAttempts(EventBusException disconnected) => logger.ConnectingEnded(disconnected.Message);

    /// <summary>
    /// Tells of a change of the client's connection. It only queues: no foreign code runs on this thread.
    /// </summary>
    public void RaiseConnectionChanged(EventBusConnectionState state, Exception? reason) =>
        Raise(ConnectionChanged, new EventBusConnectionChange(state, reason));

    /// <summary>
    /// Tells of a send or a publication that failed. Other processes can cause many of them, so the log counts repeated
    /// lines instead of writing them.
    /// </summary>
    public void TellOfFailedSend(in EventNames names, EventBusException exception)
    {
        if (_failedSends.Next(out var leftOut))
        {
            WriteLeftOut(nameof(EventBusLog.SendFailed), leftOut);
            logger.SendFailed(names.Name, names.Source, names.Target, exception.Message);
        }

        if (exception.IsEndedByOwner && HandlerFlow.IsRaised)
        {
            // A listener to this event that sends, and fails again, would be told without end.
            return;
        }

        Raise(SendFailed, new EventSendFailure(names.Source, names.Target, names.Name, exception));
    }

    /// <summary>Tells of a handler that threw.</summary>
    public void TellOfFailedHandler(string name, BusEvent received, Exception exception)
    {
        logger.HandlerFailed(name, exception);
        Raise(HandlerFailed, new EventHandlerFailure(received, exception));
    }

    /// <summary>Tells of events that a full mailbox dropped.</summary>
    public void TellOfLoss(string name, long dropped)
    {
        if (_losses.Next(out var leftOut))
        {
            WriteLeftOut(nameof(EventBusLog.EventsDropped), leftOut);
            logger.EventsDropped(name, dropped);
        }

        Raise(EventsLost, new EventLoss(name, dropped));
    }

    /// <summary>
    /// Writes into the log that a listener to spans or metrics threw. It may do so for each event: one line says it.
    /// </summary>
    public void TellOfFailedListener(Exception exception)
    {
        if (_failedListeners.Next(out var leftOut))
        {
            WriteLeftOut(nameof(EventBusLog.ListenerFailed), leftOut);
            logger.ListenerFailed(exception);
        }
    }

    /// <summary>Tells of a machine or another subscription that a new session could not restore.</summary>
    public void TellOfLostMachine(string name, EventBusException exception)
    {
        logger.MachineLost(name, exception.Message);
        Raise(MachineLost, new MachineLoss(name, exception));
    }

    /// <summary>Writes into the log how many lines were left out since the last one of their kind.</summary>
    public void WriteRest()
    {
        WriteLeftOut(nameof(EventBusLog.ConnectFailed), _failedAttempts.TakeRest());
        WriteLeftOut(nameof(EventBusLog.SendFailed), _failedSends.TakeRest());
        WriteLeftOut(nameof(EventBusLog.EventsDropped), _losses.TakeRest());
        WriteLeftOut(nameof(EventBusLog.ListenerFailed), _failedListeners.TakeRest());
    }

    private void WriteLeftOut(string kind, long count)
    {
        if (count > 0)
        {
            logger.LinesLeftOut(kind, count);
        }
    }

    private void Raise<T>(EventHandler<T>? handlers, T arguments)
    {
        if (handlers is null)
        {
            return;
        }

        lock (_raised)
        {
            _raised.Enqueue(() => RunHandlers(handlers, arguments));
            if (_isRaising)
            {
                return;
            }

            _isRaising = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static events => events.RunRaised(), this, preferLocal: false);
    }

    private void RunRaised()
    {
        while (true)
        {
            Action? next;
            lock (_raised)
            {
                if (!_raised.TryDequeue(out next))
                {
                    _isRaising = false;
                    return;
                }
            }

            next();
        }
    }

    private void RunHandlers<T>(EventHandler<T> handlers, T arguments)
    {
        try
        {
            HandlerFlow.Raise(() => handlers(sender, arguments));
        }
        catch (Exception exception)
        {
            logger.ObserverFailed(exception);
        }
    }
}
