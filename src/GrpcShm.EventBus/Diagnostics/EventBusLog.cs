using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>
/// The log lines of a client, and those that a client and the hub's own machines share. Lines of the hub alone have
/// other numbers (<c>HubLog</c>).
/// </summary>
internal static partial class EventBusLog
{
    /// <summary>The category of a client's lines.</summary>
    public const string Category = "GrpcShm.EventBus";

    [LoggerMessage(5, LogLevel.Error, "The handler of the machine '{MachineId}' failed.", EventName = "HandlerFailed")]
    public static partial void HandlerFailed(this ILogger logger, string machineId, Exception exception);

    [LoggerMessage(
        6,
        LogLevel.Warning,
        "The event '{EventName}' from '{Source}' to '{Target}' failed: {Reason}",
        EventName = "SendFailed")]
    public static partial void SendFailed(
        this ILogger logger, string eventName, string source, string target, string reason);

    [LoggerMessage(
        7, LogLevel.Information, "The event bus client is {State}. {Reason}", EventName = "ConnectionChanged")]
    public static partial void ConnectionChanged(this ILogger logger, EventBusConnectionState state, string reason);

    [LoggerMessage(
        8,
        LogLevel.Warning,
        "The subscription '{Subscription}' was too slow: its full mailbox has dropped {Dropped} events so far.",
        EventName = "EventsDropped")]
    public static partial void EventsDropped(this ILogger logger, string subscription, long dropped);

    [LoggerMessage(
        9,
        LogLevel.Error,
        "The subscription '{Subscription}' could not be restored after a reconnection, and has ended: {Reason}",
        EventName = "MachineLost")]
    public static partial void MachineLost(this ILogger logger, string subscription, string reason);

    [LoggerMessage(
        10,
        LogLevel.Error,
        "A listener to an event of the event bus client or the hub failed.",
        EventName = "ObserverFailed")]
    public static partial void ObserverFailed(this ILogger logger, Exception exception);

    [LoggerMessage(
        11, LogLevel.Warning, "{Count} further lines of the kind {Kind} were left out.", EventName = "LinesLeftOut")]
    public static partial void LinesLeftOut(this ILogger logger, string kind, long count);

    [LoggerMessage(
        13,
        LogLevel.Error,
        "A listener to the spans or metrics of the event bus threw an exception. No event is affected.",
        EventName = "ListenerFailed")]
    public static partial void ListenerFailed(this ILogger logger, Exception exception);

    [LoggerMessage(
        14, LogLevel.Warning, "An attempt to connect to the hub failed: {Reason}", EventName = "ConnectFailed")]
    public static partial void ConnectFailed(this ILogger logger, string reason);

    [LoggerMessage(
        15, LogLevel.Error, "The attempts to connect to the hub have ended. {Reason}", EventName = "ConnectingEnded")]
    public static partial void ConnectingEnded(this ILogger logger, string reason);

    [LoggerMessage(16, LogLevel.Debug, "The lane {Lane} to another process stands.", EventName = "LaneStands")]
    public static partial void LaneStands(this ILogger logger, ulong lane);

    [LoggerMessage(
        17, LogLevel.Debug, "The lane {Lane} to another process has ended: {Reason}", EventName = "LaneEnded")]
    public static partial void LaneEnded(this ILogger logger, ulong lane, string reason);

    [LoggerMessage(
        18, LogLevel.Debug, "An attempt to connect two processes directly failed: {Reason}", EventName = "LaneFailed")]
    public static partial void LaneFailed(this ILogger logger, string reason);
}
