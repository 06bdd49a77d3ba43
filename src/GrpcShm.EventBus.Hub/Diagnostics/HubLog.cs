using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>The log lines of the hub alone. No number of theirs is one of <see cref="EventBusLog"/>.</summary>
internal static partial class HubLog
{
    public const string Category = "GrpcShm.EventBus.Hub";

    [LoggerMessage(1, LogLevel.Debug, "Session {SessionId} began.", EventName = "SessionBegan")]
    public static partial void SessionBegan(this ILogger logger, string sessionId);

    [LoggerMessage(
        2,
        LogLevel.Debug,
        "Session {SessionId} belongs to '{Name}', instance '{InstanceId}'.",
        EventName = "SessionOpened")]
    public static partial void SessionOpened(this ILogger logger, string sessionId, string name, string instanceId);

    [LoggerMessage(
        3,
        LogLevel.Debug,
        "The session of '{Name}' (process {ProcessId}) ended: {Reason} Machines that have gone with it: {Machines}. "
            + "(Session {SessionId})",
        EventName = "SessionEnded")]
    public static partial void SessionEnded(
        this ILogger logger, string name, string processId, string reason, string machines, string sessionId);

    [LoggerMessage(
        4,
        LogLevel.Debug,
        "The registrations of '{Name}', instance '{InstanceId}', expired: nobody subscribed to the inboxes of "
            + "{Machines} machines in time.",
        EventName = "RegistrationsExpired")]
    public static partial void RegistrationsExpired(this ILogger logger, string name, string instanceId, int machines);

    [LoggerMessage(
        16,
        LogLevel.Information,
        "The session of '{Name}' (process {ProcessId}) ended: {Reason} Machines that have gone with it: {Machines}. "
            + "(Session {SessionId})",
        EventName = "SessionLost")]
    public static partial void SessionLost(
        this ILogger logger, string name, string processId, string reason, string machines, string sessionId);

    [LoggerMessage(
        12,
        LogLevel.Error,
        "The hub's policy threw an exception when it was asked about {Action} '{Name}'. The action is refused.",
        EventName = "PolicyFailed")]
    public static partial void PolicyFailed(
        this ILogger logger, EventBusAction action, string name, Exception exception);
}
