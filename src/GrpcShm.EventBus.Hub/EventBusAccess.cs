namespace GrpcShm.EventBus;

/// <summary>
/// An action of a caller that needs permission. <see cref="EventBusOptions.Authorize"/> is asked about it, and the
/// policy that <see cref="EventBusOptions.AuthorizationPolicy"/> names has it as its resource.
/// </summary>
public sealed class EventBusAccess
{
    internal EventBusAccess(
        EventBusPeer peer, EventBusAction action, EventBusSubject subject, string name, string source = "") =>
        (Peer, Action, Subject, Name, Source) = (peer, action, subject, name, source);

    /// <summary>The caller.</summary>
    public EventBusPeer Peer { get; }

    /// <summary>The action.</summary>
    public EventBusAction Action { get; }

    /// <summary>The kind of subject that <see cref="Name"/> names.</summary>
    public EventBusSubject Subject { get; }

    /// <summary>The machine, group or pattern that the action is about; empty where it is about all.</summary>
    public string Name { get; }

    /// <summary>
    /// For <see cref="EventBusAction.OpenRoute"/>: the machine whose events would go to the machine <see cref="Name"/>.
    /// Empty for other actions.
    /// </summary>
    public string Source { get; }
}
