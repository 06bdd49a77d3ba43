using Grpc.Core;

namespace GrpcShm.EventBus;

/// <summary>The hub, or the machine that an event was for, could not do what the caller asked for.</summary>
public sealed class EventBusException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="statusCode">Why, as a gRPC status code.</param>
    /// <param name="message">The failure, for people to read.</param>
    /// <param name="machineId">The machine that the failure is about, or <see langword="null"/> for none.</param>
    /// <param name="innerException">The exception that led to it, or <see langword="null"/>.</param>
    public EventBusException(
        StatusCode statusCode, string message, string? machineId = null, Exception? innerException = null)
        : base(message, innerException)
    {
        StatusCode = statusCode;
        MachineId = string.IsNullOrEmpty(machineId) ? null : machineId;
    }

    /// <summary>
    /// Why: <c>NotFound</c> for a machine that is not registered or whose process died, <c>AlreadyExists</c> for a
    /// machine id that another live process has, <c>ResourceExhausted</c> for a full mailbox or queue, or an event that
    /// is too large, <c>DeadlineExceeded</c> for an acknowledgement that did not come in time, <c>Aborted</c> for an
    /// event that the target's mailbox dropped, <c>Unavailable</c> for a hub that cannot be reached or a target that
    /// died before it acknowledged.
    /// </summary>
    public StatusCode StatusCode { get; }

    /// <summary>The machine that the failure is about, or <see langword="null"/> for none.</summary>
    public string? MachineId { get; }

    /// <summary>
    /// True if the program that the client belongs to disconnected it or disposed of it.
    /// </summary>
    internal bool IsEndedByOwner { get; init; }

    /// <summary>True if the event is too large for the hub. A further attempt would fail alike.</summary>
    internal bool IsTooLarge { get; init; }

    /// <summary>
    /// True if no attempt to connect has failed, and the exception stands for sessions that ended as soon as they were
    /// opened.
    /// </summary>
    internal bool IsInPlaceOfSession { get; init; }
}
