namespace GrpcShm.EventBus;

/// <summary>The kind of subject that <see cref="EventBusAccess.Name"/> names.</summary>
public enum EventBusSubject
{
    /// <summary>A machine.</summary>
    Machine = 1,

    /// <summary>A group of machines.</summary>
    Group = 2,

    /// <summary>The machines whose ids match a pattern with <c>*</c> and <c>?</c>.</summary>
    MachinePattern = 3,

    /// <summary>
    /// Events that match a pattern. The name is <c>source → target: name</c>. Each of them is a pattern, or <c>*</c> if
    /// it was left out. With a pattern for groups it is <c>source → target of group: name</c>.
    /// </summary>
    EventPattern = 4,

    /// <summary>All machines, or all events. The name is empty.</summary>
    All = 5,

    /// <summary>Subscriptions that observe, and no machine's inbox. The name is empty.</summary>
    Observers = 6,
}
