using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Service;

namespace GrpcShm.EventBus.Local;

/// <summary>
/// The parts of the hub's surface in its own process. Each part owns its fields, and knows no part that is made after
/// it.
/// </summary>
internal sealed class LocalParts
{
    public LocalParts(EventHub surface, HubCore hub, LocalMachineOptions options)
    {
        var newEvents = new NewEvents(new PayloadCodecs(options));
        Events = new RaisedEvents(surface, hub.Logger);
        var instruments = new EventInstruments(hub.Messaging, Events);
        var reports = new SendReports(instruments, Events);
        PendingSends = new PendingSends(options.MaxPendingSends);
        Sender = new EventSender(
            options.SendPipeline,
            hub.Options.DefaultAcknowledgementTimeout,
            newEvents,
            new LocalDispatcher(hub, PendingSends, reports),
            reports,
            new ClientEnd());
        Subscriptions = new LocalSubscriptions(hub, newEvents.Codecs, instruments, Events);
        Queries = new LocalQueries(hub);
        hub.Stopping.UnsafeRegister(static events => ((RaisedEvents)events!).WriteRest(), Events);
    }

    /// <summary>The events that the hub raises for its own process.</summary>
    public RaisedEvents Events { get; }

    public PendingSends PendingSends { get; }

    public EventSender Sender { get; }

    /// <summary>The machines and other subscriptions of the hub's own process.</summary>
    public LocalSubscriptions Subscriptions { get; }

    public LocalQueries Queries { get; }
}
