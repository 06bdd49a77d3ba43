using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// A command that waits for its answer: the task that its caller holds. The outcome is <see langword="null"/> if the
/// command succeeded and has no result.
/// </summary>
internal abstract class PendingCommand
{
    /// <summary>
    /// The command gets numbers later: its own, and those of its sender and of its place in the order. With the marks
    /// before the command they have at most so many bytes.
    /// </summary>
    protected const int Numbers = 64;

    private TaskCompletionSource<Outcome?> _answer = MakeAnswer();

    /// <summary>Completes with the outcome.</summary>
    public Task<Outcome?> Task => _answer.Task;

    /// <summary>
    /// The number by which the hub of the current session answers. Written under the lock of that session's commands,
    /// by the session's writer.
    /// </summary>
    public abstract ulong Number { get; set; }

    /// <summary>How many bytes it has, or a few more.</summary>
    public abstract int Size { get; }

    /// <summary>
    /// The wait of a handler that waits for this command's answer, or of which this command tells the hub; or none.
    /// </summary>
    public ClientWait? Wait { get; set; }

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

    /// <summary>True if it was written to an earlier session, which did not answer it.</summary>
    public bool IsRepeated { get; set; }

    /// <summary>True if it restores state of an earlier session. The next session makes such commands anew.</summary>
    public bool IsRestoring { get; init; }

    /// <summary>The session without which the command means nothing; none if it means something in each.</summary>
    public object? OnlyIn { get; init; }

    /// <summary>
    /// What keeps it, and all commands behind it, in the queue; none if nothing does. The lock of the queue guards it.
    /// </summary>
    public QueueBarrier? Barrier { get; set; }

    /// <summary>True if a later acknowledgement answers it, and not that it was carried out.</summary>
    public virtual bool WantsMore => false;

    /// <summary>
    /// True if it may be sent again when the connection broke before it was answered. A request may not: the receiver
    /// would know that it handled the request, but not its reply.
    /// </summary>
    public virtual bool MayRepeat => true;

    /// <summary>How many bytes it has as a field of a request, with its tag and its length.</summary>
    /// <param name="number">Its number in the session.</param>
    public abstract int CalculateSize(ulong number);

    /// <summary>Writes it as a field of a request.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="number">Its number in the session.</param>
    public abstract void WriteTo(ref FieldWriter writer, ulong number);

    /// <summary>Completes the task, unless it is complete.</summary>
    public bool TrySetResult(Outcome? outcome) => _answer.TrySetResult(outcome);

    /// <summary>Fails the task, unless it is complete.</summary>
    public bool TrySetException(Exception exception) => _answer.TrySetException(exception);

    /// <summary>Makes it a new command, with a task of its own.</summary>
    protected void Renew()
    {
        _answer = MakeAnswer();
        (EndedSessions, IsCarriedOut, IsRepeated, Wait, Barrier) = (0, false, false, null, null);
    }

    private static TaskCompletionSource<Outcome?> MakeAnswer() =>
        new(TaskCreationOptions.RunContinuationsAsynchronously);
}
