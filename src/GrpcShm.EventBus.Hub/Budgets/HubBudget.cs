using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Budgets;

/// <summary>The hub's bounds for all sessions and calls together.</summary>
internal sealed class HubBudget(EventBusOptions options)
{
    public EventBusOptions Options { get; } = options;

    /// <summary>Sessions, and subscriptions by a single call: each has a budget like a session's.</summary>
    public UserQuota Sessions { get; } = new(
        "open sessions",
        options.MaxSessionsPerUser,
        nameof(options.MaxSessionsPerUser),
        new Quota(options.MaxSessions, nameof(options.MaxSessions)));

    /// <summary>Registrations by a single call, until they expire: each has a timer.</summary>
    public UserQuota Leases { get; } = new(
        "registrations that have not expired yet",
        options.MaxLeasesPerUser,
        nameof(options.MaxLeasesPerUser),
        new Quota(options.MaxLeases, nameof(options.MaxLeases)));

    public Quota Machines { get; } = new(options.MaxMachines, nameof(options.MaxMachines));

    public Quota Registrations { get; } = new(options.MaxRegistrationSize, nameof(options.MaxRegistrationSize));

    public Quota Observers { get; } = new(options.MaxObservers, nameof(options.MaxObservers));

    public Quota Patterns { get; } = new(options.MaxPatterns, nameof(options.MaxPatterns));

    public Quota Acknowledgements { get; } = new(
        options.MaxPendingAcknowledgements, nameof(options.MaxPendingAcknowledgements));

    public Quota RouteWaits { get; } = new(16L * options.MaxRoutes, $"sixteen times {nameof(options.MaxRoutes)}");

    public Quota Waiting { get; } = new(options.MaxWaitingSize, nameof(options.MaxWaitingSize));

    /// <summary>
    /// Bytes of messages of which further parts are to come. Within it, a session may have one message of the size that
    /// a message may have. One message always fits.
    /// </summary>
    public Quota Parts { get; } = new(
        Math.Max(options.MaxPartsSize, MessageSize.LimitFor(options.MaxEventSize)), nameof(options.MaxPartsSize));
}
