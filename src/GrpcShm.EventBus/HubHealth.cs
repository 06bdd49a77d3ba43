using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

/// <summary>The health of a hub, and how much it holds.</summary>
/// <param name="IsServing">Whether the hub takes new work. If not, it is about to stop.</param>
/// <param name="Uptime">How long the hub has run.</param>
/// <param name="Sessions">How many clients have a session.</param>
/// <param name="Machines">How many machines are registered.</param>
/// <param name="Subscriptions">How many subscriptions stand, those to machines' inboxes included.</param>
/// <param name="EventsAccepted">How many events it has accepted since it started.</param>
/// <param name="EventsDropped">How many events full mailboxes have dropped since it started.</param>
public sealed record HubHealth(
    bool IsServing,
    TimeSpan Uptime,
    int Sessions,
    int Machines,
    int Subscriptions,
    long EventsAccepted,
    long EventsDropped)
{
    internal static HubHealth From(GetHealthResponse health) => new(
        health.Status == HubStatus.Serving,
        TimeSpan.FromMilliseconds(health.UptimeMilliseconds),
        (int)health.Sessions,
        (int)health.Machines,
        (int)health.Subscriptions,
        (long)health.EventsAccepted,
        (long)health.EventsDropped);
}
