namespace GrpcShm.EventBus;

/// <summary>What a caller of the hub wants to do.</summary>
public enum EventBusAction
{
    /// <summary>Register a machine, or subscribe to its inbox, which is the same right: to be that machine.</summary>
    Register = 1,

    /// <summary>Make a machine that it registers a member of a group.</summary>
    JoinGroup = 2,

    /// <summary>Send or publish as a machine that nobody has registered. As its own machines everybody may.</summary>
    SendAs = 3,

    /// <summary>
    /// Send or publish as a machine that another process has registered. Without a policy nobody may. Who may this can make
    /// receivers believe anything of that machine.
    /// </summary>
    SendAsOther = 4,

    /// <summary>Send an event to a machine.</summary>
    SendTo = 5,

    /// <summary>Publish an event: to a group, to the machines whose ids match a pattern, to all machines, or to observers.</summary>
    PublishTo = 6,

    /// <summary>Get copies of events: of those for a machine or a group, of changes of state, of those that match a pattern, of all.</summary>
    Observe = 7,

    /// <summary>List machines, or be told which ones come and go.</summary>
    List = 8,

    /// <summary>
    /// Observe with <c>OVERFLOW_POLICY_BLOCK</c>, so that senders wait for whoever only looks on. It needs
    /// <see cref="EventBusOptions.AllowBlockingObservers"/>, too.
    /// </summary>
    HoldUpSenders = 9,
}
