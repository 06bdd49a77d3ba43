using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Http;

/// <summary>
/// Makes the exceptions that a <see cref="SocketsHttpHandler"/> would throw, since callers handle those.
/// </summary>
internal static class CallFailures
{
    /// <summary>The message of a gRPC call's failure whose inner exception says the reason.</summary>
    public const string Unreachable = "The server could not be reached.";

    /// <summary>For a call that the server has reset.</summary>
    public static Exception CreateReset(CallError error, string message) =>
        new HttpProtocolException(
            (long)error, $"{message} HTTP/2 error code '{NameOf(error)}' (0x{(uint)error:x}).", null);

    /// <summary>For a response that makes no sense.</summary>
    public static Exception CreateRefusal(Exception cause) =>
        new HttpIOException(HttpRequestError.InvalidResponse, cause.Message, cause);

    /// <summary>For a request that has failed before there was a response.</summary>
    public static Exception CreateSending(Exception cause) => cause switch
    {
        HttpIOException exception => new HttpRequestException(exception.HttpRequestError, exception.Message, exception),
        IOException or ObjectDisposedException or InvalidOperationException =>
            new HttpRequestException(
                HttpRequestError.Unknown, "An error occurred while sending the request.", CreateAborted(cause)),
        _ => cause,
    };

    /// <summary>For a response that has failed halfway.</summary>
    public static Exception CreateReading(Exception cause) => cause is HttpIOException ? cause : CreateAborted(cause);

    /// <inheritdoc cref="CreateConnecting(bool, Exception)"/>
    public static HttpRequestException CreateConnecting(HttpRequestMessage request, Exception cause) =>
        CreateConnecting(GrpcRequests.IsOfCall(request.Content), cause);

    /// <summary>For a connection that could not be made.</summary>
    /// <param name="isForCall">True if it is a gRPC call that needs the connection.</param>
    /// <param name="cause">The reason, which names the endpoint.</param>
    /// <remarks>
    /// The status of a gRPC call shows the message of this exception twice, and those of all inner exceptions once. So
    /// the reason stands in the inner exception alone. Other callers show the outermost message.
    /// </remarks>
    public static HttpRequestException CreateConnecting(bool isForCall, Exception cause) =>
        new(HttpRequestError.ConnectionError, isForCall ? Unreachable : cause.Message, cause);

    private static Exception CreateAborted(Exception cause) =>
        cause is IOException or InvalidOperationException and not ObjectDisposedException
            ? cause
            : new IOException("The request was aborted.", cause);

    private static string NameOf(CallError error) => error switch
    {
        CallError.None => "NO_ERROR",
        CallError.Protocol => "PROTOCOL_ERROR",
        CallError.Internal => "INTERNAL_ERROR",
        CallError.Refused => "REFUSED_STREAM",
        CallError.Cancelled => "CANCEL",
        CallError.TooMuch => "ENHANCE_YOUR_CALM",
        _ => "(unknown error)",
    };
}
