using Grpc.Core;

namespace GrpcShm.EventBus.Routing;

/// <summary>The result of a request of a client. The default value means success.</summary>
internal readonly record struct Verdict(StatusCode Code, string Message, string MachineId)
{
    public static Verdict Ok => default;

    public bool IsOk => Code == StatusCode.OK;

    public static Verdict Invalid(string message) => new(StatusCode.InvalidArgument, message, "");

    public static Verdict NotFound(string machineId) =>
        new(StatusCode.NotFound, $"The machine '{machineId}' is not registered, or its process has ended.", machineId);

    public static Verdict Gone(string machineId) =>
        new(
            StatusCode.Unavailable,
            $"The machine '{machineId}' went away before it acknowledged the event.",
            machineId);

    public static Verdict NotTheirs(string machineId) => new(
        StatusCode.PermissionDenied,
        $"The event says that it comes from the machine '{machineId}', which belongs to another process. "
            + "Send it as a machine of your own, or leave its source empty.",
        machineId);

    public static Verdict Full(string machineId) =>
        new(StatusCode.ResourceExhausted, $"The mailbox of the machine '{machineId}' is full.", machineId);

    public static Verdict Dropped(string machineId) =>
        new(StatusCode.Aborted, $"The full mailbox of the machine '{machineId}' dropped the event.", machineId);

    public static Verdict TooLate(string machineId) =>
        new(
            StatusCode.DeadlineExceeded,
            $"The machine '{machineId}' did not acknowledge the event in time.",
            machineId);

    public static Verdict WithoutReply(string machineId) =>
        new(
            StatusCode.Internal,
            $"The machine '{machineId}' handled the request without a reply. Its handler has to call Reply.",
            machineId);

    public static Verdict TooManyPending(int most) => Exhausted(
        $"{most} sends wait for an answer already. Await some of them, or allow more by MaxPendingSends.");

    public static Verdict Exhausted(string message) => new(StatusCode.ResourceExhausted, message, "");

    /// <summary>Makes the exception for a program that asked by this library.</summary>
    public EventBusException ToBusException() => new(Code, Message ?? "", MachineId);

    /// <summary>Makes the exception that ends a call with this verdict.</summary>
    public RpcException ToException()
    {
        var trailers = new Metadata();
        if (!string.IsNullOrEmpty(MachineId))
        {
            trailers.Add("xstatenet-machine-bin", System.Text.Encoding.UTF8.GetBytes(MachineId));
        }

        return new RpcException(new Status(Code, Message ?? ""), trailers);
    }
}
