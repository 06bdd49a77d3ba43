using System.Diagnostics;
using GrpcShm.EventBus.Diagnostics;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// A command that waits for its answer: the task that its caller holds. The outcome is <see langword="null"/> if the
/// command succeeded and has no result.
/// </summary>
internal sealed class PendingCommand(SessionCommand command)
    : TaskCompletionSource<Outcome?>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    // The command gets numbers later: its own, and those of its sender and of its place in the order. With the marks
    // before the command they have at most so many bytes.
    private const int Numbers = 64;

    public SessionCommand Command { get; } = command;

    /// <summary>How many bytes it has, or a few more.</summary>
    public int Size { get; } = command.CalculateSize() + Numbers;

    /// <summary>The event of a command that sends or publishes.</summary>
    public Event Event => Command.Send ?? Command.Publish.Event;

    /// <summary>
    /// When a send that waits for a later acknowledgement is too late, by <see cref="Environment.TickCount64"/>; zero
    /// if it has no end. As long as there is a session, the hub ends it.
    /// </summary>
    public long Deadline { get; init; }

    /// <summary>
    /// True if this process watches its deadline: a session with it has ended. Only the client's link uses it.
    /// </summary>
    public bool IsWatched { get; set; }

    /// <summary>
    /// How many sessions, one behind the other, ended with it unanswered as soon as they were opened. Only the client's
    /// link uses it.
    /// </summary>
    public int EndedSessions { get; set; }

    /// <summary>
    /// True if the hub of the last session with it has carried it out, and a later acknowledgement is to come. Written
    /// under the lock of that session's commands; read once they were taken from the session.
    /// </summary>
    public bool IsCarriedOut { get; set; }

    /// <summary>The time when it was made, for the metrics; zero if nobody measures.</summary>
    public long Started { get; init; }

    /// <summary>The command's span, if anybody traces.</summary>
    public Activity? Activity { get; init; }

    /// <summary>The operation of a command that sends or publishes.</summary>
    public MessagingOperation Operation =>
        Command.Send is { } sent ? MessagingOperation.Send(sent.Target) : MessagingOperation.Publish(Command.Publish);

    /// <summary>
    /// The receiver that ends if this command fails, and stands once the command has subscribed; or none.
    /// </summary>
    public EventReceiver? Receiver { get; init; }

    /// <summary>True if it restores state of an earlier session. The next session makes such commands anew.</summary>
    public bool IsRestoring { get; init; }

    /// <summary>True if it was written to an earlier session, which did not answer it.</summary>
    public bool IsRepeated { get; set; }

    /// <summary>True if a pipeline may try again: then the caller of the pipeline reports a failure.</summary>
    public bool IsAttempt { get; init; }

    /// <summary>
    /// The wait of a handler that waits for this command's answer, or of which this command tells the hub; or none.
    /// </summary>
    public ClientWait? Wait { get; init; }

    /// <summary>True if it was made in the flow of a handler.</summary>
    public bool IsInHandler { get; init; }

    public bool IsSend =>
        Command.CommandCase is SessionCommand.CommandOneofCase.Send or SessionCommand.CommandOneofCase.Publish;

    /// <summary>True if a later acknowledgement answers it, and not that it was carried out.</summary>
    public bool WantsMore => Command.Acknowledgement > AcknowledgementLevel.Accepted;

    /// <summary>
    /// True if it may be sent again when the connection broke before it was answered. A request may not: the receiver
    /// would know that it handled the request, but not its reply.
    /// </summary>
    public bool MayRepeat => Command.Acknowledgement != AcknowledgementLevel.Replied;
}
