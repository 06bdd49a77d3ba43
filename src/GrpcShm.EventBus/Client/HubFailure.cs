using Grpc.Core;

namespace GrpcShm.EventBus.Client;

/// <summary>Translates a failed call to the hub.</summary>
internal static class HubFailure
{
    // A transport that found no hub may list the places where it looked.
    private const int MaxReason = 1024;

    private const string NoConnection = "There is no connection to the hub: ";

    // How messages of .NET end that say nothing without those of their inner exceptions.
    private const string SeeInner = ", see inner exception.";

    /// <summary>
    /// Makes the exception for the program. Where the connection is lost, the status of the call says no more than its
    /// cause. So the cause takes its place as the inner exception, and is written once.
    /// </summary>
    public static EventBusException From(RpcException exception) => IsLostConnection(exception)
        ? new EventBusException(
            StatusCode.Unavailable,
            NoConnection + Explain(exception.Status.DebugException!),
            null,
            exception.Status.DebugException)
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

    /// <summary>
    /// Says in words why an attempt to connect failed, or why a session ended: as a part of a sentence that says which
    /// of the two it is.
    /// </summary>
    /// <param name="failure">The failure.</param>
    /// <param name="server">The server that the client calls; none if the client does not know it.</param>
    public static string Describe(Exception failure, string? server = null) => failure switch
    {
        RpcException { StatusCode: StatusCode.Unimplemented } refusal =>
            $"The server{(server is null ? "" : $" at '{server}'")} answers, but it is no hub. Does it call "
            + $"MapEventBus()? (Unimplemented: {DetailOf(refusal, MaxReason)})",
        RpcException refusal => $"{refusal.StatusCode}: {DetailOf(refusal, MaxReason)}",
        TimeoutException => "The hub did not answer in time.",
        _ when failure.Message.StartsWith(NoConnection, StringComparison.Ordinal) =>
            failure.Message[NoConnection.Length..],
        _ => failure.Message,
    };

    /// <summary>The exception below one that <see cref="From"/> has made, or the exception itself.</summary>
    public static Exception? CauseOf(Exception? failure) =>
        failure is EventBusException { InnerException: { } cause } ? cause : failure;

    // The innermost message says most, unless one around it has the same words and more: "Connection refused" and
    // "Connection refused (localhost:5001)". Text of the transport may have come from a peer.
    private static string Explain(Exception cause)
    {
        var text = cause.Message;
        for (var inner = cause.InnerException; inner is not null; inner = inner.InnerException)
        {
            if (text.EndsWith(SeeInner, StringComparison.Ordinal))
            {
                text = $"{text[..^SeeInner.Length]}: {inner.Message}";
            }
            else if (!text.Contains(inner.Message.TrimEnd('.'), StringComparison.Ordinal))
            {
                text = inner.Message;
            }
        }

        // This client waits for its hub by itself.
        text = PeerText.Clean(text.Replace(WaitingAdvice.Text, "", StringComparison.Ordinal), MaxReason);
        return text.Length > 0 && char.IsLetterOrDigit(text[^1]) ? text + "." : text;
    }

    private static string DetailOf(RpcException exception, int maxLength = PeerText.MaxSentence) =>
        PeerText.Clean(exception.Status.Detail, maxLength);

    private static string? MachineOf(RpcException exception) =>
        exception.Trailers.GetValueBytes("xstatenet-machine-bin") is { } name
            ? System.Text.Encoding.UTF8.GetString(name)
            : null;
}
