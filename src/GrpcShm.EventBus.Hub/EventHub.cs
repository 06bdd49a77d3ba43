using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Local;
using GrpcShm.EventBus.Service;

namespace GrpcShm.EventBus;

/// <summary>
/// The hub, seen from its own process: machines that live here take part without a connection. They are made, send,
/// subscribe and fail like the machines of an <see cref="EventClient"/>. Get the hub from the server's services.
/// Several threads may use all members at once.
/// </summary>
/// <remarks>
/// Handlers of one machine run one after the other, of different machines at the same time. The events that this class
/// raises run on the thread pool, one after the other.
/// </remarks>
public sealed partial class EventHub
{
    private readonly LocalParts _parts;

    internal EventHub(HubCore hub, LocalMachineOptions options) => _parts = new LocalParts(this, hub, options);

    /// <summary>
    /// A send of the hub's own process failed. It is raised whether or not the program awaits the send's task, since
    /// the hub cannot know that. Where a pipeline tries again, it is raised only for the last attempt.
    /// </summary>
    public event EventHandler<EventSendFailure>? SendFailed
    {
        add => Events.SendFailed += value;
        remove => Events.SendFailed -= value;
    }

    /// <summary>A handler of the hub's own process threw.</summary>
    public event EventHandler<EventHandlerFailure>? HandlerFailed
    {
        add => Events.HandlerFailed += value;
        remove => Events.HandlerFailed -= value;
    }

    /// <summary>A subscription of the hub's own process lost events because its mailbox was full.</summary>
    public event EventHandler<EventLoss>? EventsLost
    {
        add => Events.EventsLost += value;
        remove => Events.EventsLost -= value;
    }

    /// <summary>How many sends of the hub's own process wait, for room or for an acknowledgement.</summary>
    public int PendingSends => _parts.PendingSends.Count;

    private RaisedEvents Events => _parts.Events;

    private LocalSubscriptions Subscriptions => _parts.Subscriptions;
}
