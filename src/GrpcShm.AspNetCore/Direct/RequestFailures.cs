using Microsoft.AspNetCore.Connections;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Makes the exceptions that handlers get when a call ends early. Types and texts are those of Kestrel over HTTP/2,
/// since handlers and filters of logs rely on them.
/// </summary>
internal static class RequestFailures
{
    /// <summary>The text for the reader of a call that the client has reset.</summary>
    public const string ResetByClient = "The client reset the request stream.";

    /// <summary>For a call that one of the two sides has reset.</summary>
    public static IOException CreateRefused(string message) => new(message);

    /// <summary>For a call that has ended with its connection, or by a time limit.</summary>
    public static IOException CreateAborted(Exception cause) => new(
        "The request stream was aborted.",
        cause as ConnectionAbortedException ?? new ConnectionAbortedException(cause.Message, cause));

    /// <summary>For a call that the application has given up.</summary>
    public static TaskCanceledException CreateAbortedByApplication() =>
        CreateCancelled("The connection was aborted by the application.");

    /// <summary>For a call that the application has reset.</summary>
    public static TaskCanceledException CreateResetByApplication(int errorCode) =>
        CreateCancelled($"The HTTP/2 stream was reset by the application with error code {NameOf(errorCode)}.");

    /// <summary>For a handler that fails when its response has started and cannot become an error response.</summary>
    public static TaskCanceledException CreateAfterStart() =>
        CreateCancelled("An error occurred after the response headers were sent, a reset is being sent.");

    private static TaskCanceledException CreateCancelled(string reason) =>
        new("The request was aborted", new ConnectionAbortedException(reason));

    // The names are those that Kestrel writes (RFC 9113, 7).
    private static string NameOf(int errorCode) => errorCode switch
    {
        0x0 => "NO_ERROR",
        0x1 => "PROTOCOL_ERROR",
        0x2 => "INTERNAL_ERROR",
        0x3 => "FLOW_CONTROL_ERROR",
        0x4 => "SETTINGS_TIMEOUT",
        0x5 => "STREAM_CLOSED",
        0x6 => "FRAME_SIZE_ERROR",
        0x7 => "REFUSED_STREAM",
        0x8 => "CANCEL",
        0x9 => "COMPRESSION_ERROR",
        0xa => "CONNECT_ERROR",
        0xb => "ENHANCE_YOUR_CALM",
        0xc => "INADEQUATE_SECURITY",
        0xd => "HTTP_1_1_REQUIRED",
        _ => errorCode.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}
