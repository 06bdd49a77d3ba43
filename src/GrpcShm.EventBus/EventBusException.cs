using Grpc.Core;

namespace GrpcShm.EventBus;

/// <summary>The hub, or the machine that an event was for, could not do what was asked.</summary>
public sealed class EventBusException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="statusCode">Why, as a gRPC status code.</param>
    /// <param name="message">What went wrong, for people to read.</param>
    /// <param name="machineId">The machine that it is about, or <see langword="null"/> if it is about none.</param>
    /// <param name="innerException">What led to it, or <see langword="null"/>.</param>
    public EventBusException(StatusCode statusCode, string message, string? machineId = null, Exception? innerException = null)
        : base(message, innerException)
    {
        StatusCode = statusCode;
        MachineId = string.IsNullOrEmpty(machineId) ? null : machineId;
    }

    /// <summary>
    /// Why: <c>NotFound</c> for a machine that is not registered or whose process died, <c>AlreadyExists</c> for a
    /// machine id that another live process has, <c>ResourceExhausted</c> for a full mailbox or queue,
    /// <c>DeadlineExceeded</c> for an acknowledgement that did not come in time, <c>Aborted</c> for an event that the
    /// target's mailbox dropped, <c>Unavailable</c> for a hub that cannot be reached or a target that died before it
    /// acknowledged.
    /// </summary>
    public StatusCode StatusCode { get; }

    /// <summary>The machine that it is about, or <see langword="null"/> if it is about none.</summary>
    public string? MachineId { get; }

    /// <summary>
    /// Whether it says that the client was disconnected or disposed of by the program that it belongs to.
    /// </summary>
    internal bool IsEndedByOwner { get; init; }
}
