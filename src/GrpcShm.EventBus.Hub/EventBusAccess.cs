namespace GrpcShm.EventBus;

/// <summary>
/// A question to whoever decides who may do what: to <see cref="EventBusOptions.Authorize"/>, and as the resource to the policy
/// that <see cref="EventBusOptions.AuthorizationPolicy"/> names.
/// </summary>
public sealed class EventBusAccess
{
    internal EventBusAccess(EventBusPeer peer, EventBusAction action, EventBusSubject subject, string name) =>
        (Peer, Action, Subject, Name) = (peer, action, subject, name);

    /// <summary>Who wants to do it.</summary>
    public EventBusPeer Peer { get; }

    /// <summary>What it wants to do.</summary>
    public EventBusAction Action { get; }

    /// <summary>What <see cref="Name"/> is the name of.</summary>
    public EventBusSubject Subject { get; }

    /// <summary>The machine, group or pattern that it is about; empty where it is about all.</summary>
    public string Name { get; }
}
