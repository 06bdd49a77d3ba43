using GrpcShm.Transport.Handshake;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Transport.Diagnostics;

/// <summary>The log events of the transport. Ids and names are stable; nothing is logged per message.</summary>
internal static partial class Log
{
    public const string Category = "GrpcShm.Transport";

    [LoggerMessage(1, LogLevel.Debug,
        "Connection {ConnectionId} to '{EndPoint}' has been made with process {ProcessId} of user {UserId}.",
        EventName = "Connected")]
    public static partial void Connected(
        ILogger logger, string connectionId, SharedMemoryEndPoint endPoint, int processId, string userId);

    [LoggerMessage(2, LogLevel.Debug,
        "Connection {ConnectionId} ended ({Code}, by {Side}): {Reason}", EventName = "Disconnected")]
    public static partial void Disconnected(
        ILogger logger, string connectionId, CloseCode code, string side, string reason, Exception? exception);

    [LoggerMessage(3, LogLevel.Warning,
        "Connection {ConnectionId} is cut off: {Violation}", EventName = "ProtocolViolation")]
    public static partial void ProtocolViolation(ILogger logger, string connectionId, string violation);

    [LoggerMessage(4, LogLevel.Debug, "Listening on '{EndPoint}'.", EventName = "Listening")]
    public static partial void Listening(ILogger logger, SharedMemoryEndPoint endPoint);

    [LoggerMessage(EventId = 5, Message =
        "A client of '{EndPoint}' (process {ProcessId}, user {UserId}) was refused ({Code}): {Reason}",
        EventName = "ClientRefused")]
    public static partial void ClientRefused(
        ILogger logger,
        LogLevel level,
        SharedMemoryEndPoint endPoint,
        int processId,
        string userId,
        RefusalCode code,
        string reason);

    [LoggerMessage(6, LogLevel.Error,
        "Clients of '{EndPoint}' cannot be accepted at present: {Reason} Trying again in {Delay}.",
        EventName = "AcceptFailed")]
    public static partial void AcceptFailed(
        ILogger logger, SharedMemoryEndPoint endPoint, string reason, TimeSpan delay);

    [LoggerMessage(7, LogLevel.Error, "Listening on '{EndPoint}' failed.", EventName = "ListenerFailed")]
    public static partial void ListenerFailed(ILogger logger, SharedMemoryEndPoint endPoint, Exception exception);

    [LoggerMessage(8, LogLevel.Error,
        "A callback that runs when connection {ConnectionId} ends threw an exception.", EventName = "CallbackFailed")]
    public static partial void CallbackFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(EventId = 20, Message = "Listening on '{EndPoint}': {Remark}", EventName = "NameRemark")]
    public static partial void NameRemark(ILogger logger, LogLevel level, SharedMemoryEndPoint endPoint, string remark);

    [LoggerMessage(9, LogLevel.Error,
        "The thread '{Reactor}' that serves shared-memory connections failed. All of its connections end; new "
        + "connections get another thread.",
        EventName = "ReactorFailed")]
    public static partial void ReactorFailed(ILogger logger, string reactor, Exception exception);

    [LoggerMessage(10, LogLevel.Error,
        "The thread '{Reactor}' is held up by a handler or callback that it runs, and no other thread can be started "
        + "in its place: {Reason} Trying again.",
        EventName = "TakeOverFailed")]
    public static partial void TakeOverFailed(ILogger logger, string reactor, string reason, Exception exception);

    [LoggerMessage(11, LogLevel.Warning,
        "{Count} more log lines of the kind {Kind} about '{EndPoint}' were left out.", EventName = "LinesLeftOut")]
    public static partial void LinesLeftOut(ILogger logger, SharedMemoryEndPoint endPoint, string kind, long count);
}
