namespace GrpcShm.EventBus.Budgets;

/// <summary>The hub's bounds for all sessions and calls together.</summary>
internal sealed class HubBudget(EventBusOptions options)
{
    public EventBusOptions Options { get; } = options;

    public Quota Sessions { get; } = new(options.MaxSessions, nameof(options.MaxSessions));

    /// <summary>Registrations by a call of its own, until they expire: each has a timer.</summary>
    public Quota Leases { get; } = new(options.MaxSessions, nameof(options.MaxSessions));

    public Quota Machines { get; } = new(options.MaxMachines, nameof(options.MaxMachines));

    public Quota Registrations { get; } = new(options.MaxRegistrationSize, nameof(options.MaxRegistrationSize));

    public Quota Observers { get; } = new(options.MaxObservers, nameof(options.MaxObservers));

    public Quota Patterns { get; } = new(options.MaxPatterns, nameof(options.MaxPatterns));

    public Quota Acknowledgements { get; } = new(options.MaxPendingAcknowledgements, nameof(options.MaxPendingAcknowledgements));

    public Quota Waiting { get; } = new(options.MaxWaitingSize, nameof(options.MaxWaitingSize));
}
