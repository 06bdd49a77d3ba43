namespace GrpcShm.EventBus;

/// <summary>An action of a caller of the hub.</summary>
public enum EventBusAction
{
    /// <summary>Register a machine, or subscribe to its inbox. Both are the right to be that machine.</summary>
    Register = 1,

    /// <summary>Make a machine that the caller registers a member of a group.</summary>
    JoinGroup = 2,

    /// <summary>
    /// Send or publish as a machine that nobody has registered. As its own machines every caller may do so.
    /// </summary>
    SendAs = 3,

    /// <summary>
    /// Send or publish as a machine that another process has registered. Without a policy no caller may do so. A caller
    /// that may can make receivers believe anything of that machine.
    /// </summary>
    SendAsOther = 4,

    /// <summary>Send an event to a machine.</summary>
    SendTo = 5,

    /// <summary>
    /// Publish an event: to a group, to the machines whose ids match a pattern, to all machines, or to observers.
    /// </summary>
    PublishTo = 6,

    /// <summary>
    /// Get copies of events: of events for a machine or a group, of changes of state, of events that match a pattern,
    /// or of all.
    /// </summary>
    Observe = 7,

    /// <summary>List machines, or be told which machines come and go.</summary>
    List = 8,

    /// <summary>
    /// Observe with <c>OVERFLOW_POLICY_BLOCK</c>, so that senders wait for a subscription that only observes. It needs
    /// <see cref="EventBusOptions.AllowBlockingObservers"/>, too.
    /// </summary>
    HoldUpSenders = 9,

    /// <summary>
    /// Send the events of one machine (<see cref="EventBusAccess.Source"/>) to another one
    /// (<see cref="EventBusAccess.Name"/>) past the hub. The policy is asked once, and not for each event. It is asked
    /// only with <see cref="EventBusOptions.PolicyKnowsRoutes"/>; otherwise the answer is no.
    /// </summary>
    OpenRoute = 10,
}
