namespace GrpcShm.EventBus.Budgets;

/// <summary>How much of the hub one session may use, or one call with machines or a subscription.</summary>
internal sealed class SessionBudget(HubBudget hub)
{
    private readonly EventBusOptions _options = hub.Options;

    /// <summary>The hub's own budget. An amount that is taken here is taken there, too.</summary>
    public HubBudget Hub { get; } = hub;

    /// <summary>Machines. The registry's lock guards it.</summary>
    public Quota Machines { get; } = new(
        hub.Options.MaxMachinesPerSession, nameof(_options.MaxMachinesPerSession), hub.Machines);

    /// <summary>Bytes of machines, their names and their groups. The registry's lock guards it.</summary>
    public Quota Registrations { get; } = new(
        hub.Options.MaxRegistrationSizePerSession, nameof(_options.MaxRegistrationSizePerSession), hub.Registrations);

    /// <summary>Subscriptions that are no inboxes.</summary>
    public Quota Observers { get; } = new(
        hub.Options.MaxObserversPerSession, nameof(_options.MaxObserversPerSession), hub.Observers);

    /// <summary>The weight of patterns that each event must be compared with.</summary>
    public Quota Patterns { get; } = new(
        hub.Options.MaxPatternsPerSession, nameof(_options.MaxPatternsPerSession), hub.Patterns);

    /// <summary>Sends that wait for an acknowledgement.</summary>
    public Quota Acknowledgements { get; } = new(
        hub.Options.MaxPendingAcknowledgementsPerSession,
        nameof(_options.MaxPendingAcknowledgementsPerSession),
        hub.Acknowledgements);

    /// <summary>
    /// Routes that observers wait for, each counted for each observer. One observer may wait for all routes of the hub.
    /// </summary>
    public Quota RouteWaits { get; } = new(
        4L * hub.Options.MaxRoutes, $"four times {nameof(_options.MaxRoutes)}", hub.RouteWaits);

    /// <summary>Bytes of events that wait for its subscriptions and machines.</summary>
    public Quota Waiting { get; } = new(
        hub.Options.MaxWaitingSizePerSession, nameof(_options.MaxWaitingSizePerSession), hub.Waiting);
}
