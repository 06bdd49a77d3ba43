namespace GrpcShm.EventBus;

/// <summary>What <see cref="EventBusAccess.Name"/> is the name of.</summary>
public enum EventBusSubject
{
    /// <summary>A machine.</summary>
    Machine = 1,

    /// <summary>A group of machines.</summary>
    Group = 2,

    /// <summary>The machines whose ids match a pattern with <c>*</c> and <c>?</c>.</summary>
    MachinePattern = 3,

    /// <summary>
    /// Events that match a pattern. The name is <c>source → target: name</c>, each of them a pattern, <c>*</c> if it was left
    /// out; with a pattern for groups <c>source → target of group: name</c>.
    /// </summary>
    EventPattern = 4,

    /// <summary>All machines, or all events. The name is empty.</summary>
    All = 5,

    /// <summary>Whoever observes, and no machine's inbox. The name is empty.</summary>
    Observers = 6,
}
