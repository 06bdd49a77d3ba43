using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Client.Native;

/// <summary>The lines of grpc-dotnet that calls write which are framed here.</summary>
internal static partial class CallLines
{
    [LoggerMessage(
        3,
        LogLevel.Information,
        "Call failed with gRPC error status. Status code: '{StatusCode}', Message: '{StatusMessage}'.",
        EventName = "GrpcStatusError")]
    public static partial void GrpcStatusError(
        ILogger logger, StatusCode statusCode, string statusMessage, Exception? exception);

    [LoggerMessage(7, LogLevel.Warning, "gRPC call deadline exceeded.", EventName = "DeadlineExceeded")]
    public static partial void DeadlineExceeded(ILogger logger);

    [LoggerMessage(17, LogLevel.Information, "Error reading message.", EventName = "ErrorReadingMessage")]
    public static partial void ErrorReadingMessage(ILogger logger, Exception exception);

    [LoggerMessage(20, LogLevel.Information, "Error sending message.", EventName = "ErrorSendingMessage")]
    public static partial void ErrorSendingMessage(ILogger logger, Exception exception);

    [LoggerMessage(26, LogLevel.Error, "Error parsing trailers.", EventName = "ErrorParsingTrailers")]
    public static partial void ErrorParsingTrailers(ILogger logger, Exception exception);

    [LoggerMessage(
        28,
        LogLevel.Error,
        "Header contains an OK gRPC status. This is invalid for unary or client streaming calls because a status in "
        + "the header indicates there is no response body. A message in the response body is required for unary and "
        + "client streaming calls.",
        EventName = "InvalidGrpcStatusInHeader")]
    public static partial void InvalidGrpcStatusInHeader(ILogger logger);

    [LoggerMessage(1, LogLevel.Error, "Error reading message.", EventName = "ReadMessageError")]
    public static partial void ReadMessageError(ILogger logger, Exception exception);

    [LoggerMessage(2, LogLevel.Error, "Error writing message.", EventName = "WriteMessageError")]
    public static partial void WriteMessageError(ILogger logger, Exception exception);

    [LoggerMessage(3, LogLevel.Error, "Error completing client stream.", EventName = "CompleteClientStreamError")]
    public static partial void CompleteClientStreamError(ILogger logger, Exception exception);
}
