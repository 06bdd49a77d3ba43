using System.Diagnostics.Metrics;
using GrpcShm.EventBus.Registry;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>The meter <c>GrpcShm.EventBus</c>.</summary>
/// <remarks>The counts are plain fields that the instruments observe: counting an event costs one atomic add.</remarks>
internal sealed class EventBusMetrics
{
    public const string MeterName = "GrpcShm.EventBus";

    private long _accepted;
    private long _delivered;
    private long _dropped;
    private long _refused;
    private int _sessions;
    private int _subscriptions;

    public EventBusMetrics(IMeterFactory meterFactory, MachineRegistry machines)
    {
        var meter = meterFactory.Create(MeterName);
        meter.CreateObservableCounter(
            "grpcshm.eventbus.events.accepted", () => EventsAccepted, "{event}", "Events that the hub accepted.");
        meter.CreateObservableCounter(
            "grpcshm.eventbus.events.delivered", () => Volatile.Read(ref _delivered), "{event}",
            "Events that were written to subscribers.");
        meter.CreateObservableCounter(
            "grpcshm.eventbus.events.dropped", () => EventsDropped, "{event}", "Events that full mailboxes dropped.");
        meter.CreateObservableCounter(
            "grpcshm.eventbus.events.refused", () => Volatile.Read(ref _refused), "{event}", "Events that the hub refused.");
        meter.CreateObservableUpDownCounter(
            "grpcshm.eventbus.sessions", () => Sessions, "{session}", "Open sessions.");
        meter.CreateObservableUpDownCounter(
            "grpcshm.eventbus.subscriptions", () => Subscriptions, "{subscription}", "Subscriptions that stand.");
        meter.CreateObservableUpDownCounter(
            "grpcshm.eventbus.machines", () => machines.Count, "{machine}", "Registered machines.");
    }

    public long EventsAccepted => Volatile.Read(ref _accepted);

    public long EventsDropped => Volatile.Read(ref _dropped);

    public int Sessions => Volatile.Read(ref _sessions);

    public int Subscriptions => Volatile.Read(ref _subscriptions);

    public void Accepted() => Interlocked.Increment(ref _accepted);

    public void Refused() => Interlocked.Increment(ref _refused);

    public void Dropped() => Interlocked.Increment(ref _dropped);

    public void Delivered(int count) => Interlocked.Add(ref _delivered, count);

    public void SessionOpened() => Interlocked.Increment(ref _sessions);

    public void SessionEnded() => Interlocked.Decrement(ref _sessions);

    public void SubscriptionBegan() => Interlocked.Increment(ref _subscriptions);

    public void SubscriptionEnded() => Interlocked.Decrement(ref _subscriptions);
}
