using System.Diagnostics;
using GrpcShm.EventBus.Diagnostics;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// A command that waits for its answer: the task that its caller holds. The outcome is <see langword="null"/> if it
/// went well and there is no more to say.
/// </summary>
internal sealed class PendingCommand(SessionCommand command, int size)
    : TaskCompletionSource<Outcome?>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    /// <summary>What surrounds an event's payload and ids, roughly, in bytes.</summary>
    public const int Overhead = 64;

    public SessionCommand Command { get; } = command;

    /// <summary>About how many bytes it has.</summary>
    public int Size { get; } = size;

    /// <summary>When it was made, for the metrics; zero if nobody measures.</summary>
    public long Started { get; init; }

    /// <summary>What stands for it in traces, if anybody traces.</summary>
    public Activity? Activity { get; init; }

    /// <summary>What a command that sends or publishes does.</summary>
    public MessagingOperation Operation =>
        Command.Send is { } sent ? MessagingOperation.Send(sent.Target) : MessagingOperation.Publish(Command.Publish);

    /// <summary>What ends if this command fails, and stands once it has succeeded to subscribe; or none.</summary>
    public EventReceiver? Receiver { get; init; }

    /// <summary>Whether it restores what an earlier session had: the next session makes its own.</summary>
    public bool IsRestoring { get; init; }

    /// <summary>Whether it was written to an earlier session already, which did not answer it.</summary>
    public bool IsRepeated { get; set; }

    /// <summary>Whether a pipeline may try again: then a failure is the pipeline's to report.</summary>
    public bool IsAttempt { get; init; }

    /// <summary>
    /// What a handler waits by, if it waits for this command's answer, or if this command tells of that.
    /// </summary>
    public ClientWait? Wait { get; init; }

    /// <summary>Whether it was made in the flow of a handler.</summary>
    public bool IsInHandler { get; init; }

    public bool IsSend =>
        Command.CommandCase is SessionCommand.CommandOneofCase.Send or SessionCommand.CommandOneofCase.Publish;

    /// <summary>Whether it is answered by a later acknowledgement, and not by having been carried out.</summary>
    public bool WantsMore => Command.Acknowledgement > AcknowledgementLevel.Accepted;

    /// <summary>
    /// Whether it may be sent again when the connection broke before it was answered. Not a request: the receiver would
    /// know that it handled it, but not what it replied.
    /// </summary>
    public bool MayRepeat => Command.Acknowledgement != AcknowledgementLevel.Replied;
}
