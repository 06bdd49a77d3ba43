using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using GrpcShm.Messages;

namespace GrpcShm.Client.Native;

/// <summary>
/// Says with which status a call ends, as grpc-dotnet would say it: callers handle those statuses, and people search
/// for those texts.
/// </summary>
internal static class ResponseStatus
{
    /// <summary>What was done when a call failed before its response.</summary>
    public const string Starting = "Error starting gRPC call.";

    /// <summary>What was done when a stream of messages failed.</summary>
    public const string Reading = "Error reading next message.";

    public static readonly Status Disposed = new(StatusCode.Cancelled, "gRPC call disposed.");

    public static readonly Status WithoutStatus = new(StatusCode.Cancelled, "No grpc-status found on response.");

    public static readonly Status WithoutMessage =
        new(StatusCode.Internal, "Failed to deserialize response message.");

    public static readonly Status StatusBeforeMessage = new(
        StatusCode.Internal,
        "Failed to deserialize response message. The response header contains a gRPC status of OK, which means any "
        + "message returned to the client for this call should be ignored. A unary or client streaming gRPC call must "
        + "have a response message, which makes this response invalid.");

    public static Status CreateCancelled(CancellationToken token) => new(
        StatusCode.Cancelled, "Call canceled by the client.", new OperationCanceledException(token));

    /// <summary>Reads the fields <c>grpc-status</c> and <c>grpc-message</c>.</summary>
    public static Status Parse(string code, string? message)
    {
        if (!int.TryParse(code, CultureInfo.InvariantCulture, out var number))
        {
            var problem = $"Unexpected grpc-status value: {code}";
            return new Status(StatusCode.Cancelled, problem, new InvalidOperationException(problem));
        }

        return new Status((StatusCode)number, string.IsNullOrEmpty(message) ? "" : Uri.UnescapeDataString(message));
    }

    /// <summary>Says why a response is none of gRPC's; nothing if it is one.</summary>
    /// <param name="httpStatus">The status of HTTP.</param>
    /// <param name="contentType">The content type; nothing if there is none.</param>
    public static Status? Check(int httpStatus, string? contentType)
    {
        if (httpStatus != (int)HttpStatusCode.OK)
        {
            return new Status(MapHttpStatus(httpStatus), $"Bad gRPC response. HTTP status code: {httpStatus}");
        }

        if (contentType is null)
        {
            return new Status(
                StatusCode.Cancelled, "Bad gRPC response. Response did not have a content-type header.");
        }

        return IsOfGrpc(contentType)
            ? null
            : new Status(StatusCode.Cancelled, $"Bad gRPC response. Invalid content-type value: {contentType}");
    }

    /// <summary>Makes the status for an exception of the transport, or of the code that makes messages.</summary>
    /// <param name="summary">What was done.</param>
    /// <param name="exception">The exception.</param>
    public static Status FromException(string summary, Exception exception) => exception switch
    {
        RpcException failure => failure.Status,
        OperationCanceledException => new Status(StatusCode.Cancelled, "", exception),
        _ => new Status(CodeOf(exception), $"{summary} {ExceptionText.Describe(exception)}", exception),
    };

    private static StatusCode CodeOf(Exception exception)
    {
        var isLost = false;
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is HttpProtocolException reset)
            {
                // The codes of HTTP/2, by gRPC's "HTTP2 Transport Mapping".
                return reset.ErrorCode switch
                {
                    7 => StatusCode.Unavailable,
                    8 => StatusCode.Cancelled,
                    11 => StatusCode.ResourceExhausted,
                    12 => StatusCode.PermissionDenied,
                    _ => StatusCode.Internal,
                };
            }

            isLost |= cause is IOException or SocketException;
        }

        return isLost ? StatusCode.Unavailable : StatusCode.Internal;
    }

    private static bool IsOfGrpc(string contentType) =>
        contentType.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == 16 || contentType[16] is ';' or '+');

    // By gRPC's "HTTP to gRPC Status Code Mapping".
    private static StatusCode MapHttpStatus(int status) => status switch
    {
        400 or 431 => StatusCode.Internal,
        401 => StatusCode.Unauthenticated,
        403 => StatusCode.PermissionDenied,
        404 => StatusCode.Unimplemented,
        429 or 502 or 503 or 504 => StatusCode.Unavailable,
        >= 100 and < 200 => StatusCode.Internal,
        _ => StatusCode.Unknown,
    };
}
