using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Native;

/// <summary>
/// What grpc-dotnet's server logs of a call at Information and above, with its category, ids, names and texts: people
/// have filters for them. Where its lines at Debug or Trace are wanted, the call is not a native one.
/// </summary>
internal static partial class GrpcLog
{
    public const string Name = "Grpc.AspNetCore.Server.ServerCallHandler";

    [LoggerMessage(
        6, LogLevel.Error, "Error when executing service method '{ServiceMethod}'.",
        EventName = "ErrorExecutingServiceMethod")]
    public static partial void HandlerFailed(ILogger logger, string serviceMethod, Exception exception);

    [LoggerMessage(
        7, LogLevel.Information, "Error status code '{StatusCode}' with detail '{Detail}' raised.",
        EventName = "RpcConnectionError")]
    public static partial void StatusThrown(
        ILogger logger, StatusCode statusCode, string detail, Exception? exception);

    [LoggerMessage(
        9, LogLevel.Error, "Error occurred while trying to cancel the request due to deadline exceeded.",
        EventName = "DeadlineCancellationError")]
    public static partial void DeadlineFailed(ILogger logger, Exception exception);

    [LoggerMessage(14, LogLevel.Information, "Error reading message.", EventName = "ErrorReadingMessage")]
    public static partial void ReadFailed(ILogger logger, Exception exception);

    [LoggerMessage(17, LogLevel.Information, "Error sending message.", EventName = "ErrorSendingMessage")]
    public static partial void SendFailed(ILogger logger, Exception exception);

    [LoggerMessage(
        28, LogLevel.Information, "Service method '{ServiceMethod}' canceled.", EventName = "ServiceMethodCanceled")]
    public static partial void HandlerCanceled(ILogger logger, string serviceMethod, Exception exception);
}
