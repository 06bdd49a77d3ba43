using Grpc.Core;

namespace GrpcShm.EventBus.Client;

/// <summary>Translates a failed call to the hub.</summary>
internal static class HubFailure
{
    // A transport that found no hub may list the places where it looked.
    private const int MaxReason = 1024;

    public static EventBusException From(RpcException exception) => IsLostConnection(exception)
        ? new EventBusException(
            StatusCode.Unavailable,
            $"There is no connection to the hub: {DetailOf(exception, MaxReason)}",
            null,
            exception)
        : new EventBusException(exception.StatusCode, DetailOf(exception), MachineOf(exception), exception);

    /// <summary>
    /// True if this process made the status for a broken connection, and not the hub. The HTTP/2 client says
    /// <c>Internal</c> where the hub closed the connection before it was done with a call. A program that waits for the
    /// hub must not have to know that.
    /// </summary>
    public static bool IsLostConnection(RpcException exception)
    {
        for (var cause = exception.Status.DebugException; cause is not null; cause = cause.InnerException)
        {
            if (cause is IOException or HttpRequestException or System.Net.Sockets.SocketException)
            {
                return exception.StatusCode is StatusCode.Internal or StatusCode.Unavailable or StatusCode.Unknown;
            }
        }

        return false;
    }

    /// <summary>Says in words why an attempt to connect failed.</summary>
    public static string Describe(Exception failure) => failure switch
    {
        RpcException refusal => $"{refusal.StatusCode}: {DetailOf(refusal, MaxReason)}",
        TimeoutException => "The hub did not answer in time.",
        _ => failure.Message,
    };

    private static string DetailOf(RpcException exception, int maxLength = PeerText.MaxSentence) =>
        PeerText.Clean(exception.Status.Detail, maxLength);

    private static string? MachineOf(RpcException exception) =>
        exception.Trailers.GetValueBytes("xstatenet-machine-bin") is { } name
            ? System.Text.Encoding.UTF8.GetString(name)
            : null;
}
