using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>Brings events on their way: a client's by its session, the hub's own process without one.</summary>
internal interface IEventDispatcher
{
    /// <summary>
    /// Sends an event that nobody waits for further than <c>Accepted</c>. The event has its place in the order when
    /// this returns.
    /// </summary>
    /// <param name="event">The event. Its bytes may be the program's: they are read before this returns.</param>
    /// <param name="level">How far it must come.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    Task<Outcome?> Send(in NewEvent @event, AcknowledgementLevel level, CancellationToken cancellationToken);

    /// <summary>
    /// Attempts to send an event further than <c>Accepted</c>. The event has its place in the order when this returns.
    /// A pipeline may try again, so the caller tells of a failure.
    /// </summary>
    /// <param name="event">The event, with a payload of its own.</param>
    /// <param name="level">How far it must come.</param>
    /// <param name="timeoutMilliseconds">How long that may take.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The target's new state and its reply, where these were waited for.</returns>
    Task<Outcome?> AttemptSendAsync(
        NewEvent @event, AcknowledgementLevel level, uint timeoutMilliseconds, CancellationToken cancellationToken);

    /// <summary>Publishes an event.</summary>
    /// <param name="event">The event. Its bytes may be the program's: they are read before this returns.</param>
    /// <param name="publication">The audience: a publication without its event. It belongs to this method.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>How many mailboxes the event was put into.</returns>
    Task<Outcome?> Publish(in NewEvent @event, Publication publication, CancellationToken cancellationToken);
}
