using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>What the hub alone logs. Its numbers stand between those of <see cref="EventBusLog"/>.</summary>
internal static partial class HubLog
{
    public const string Category = "GrpcShm.EventBus.Hub";

    [LoggerMessage(1, LogLevel.Debug, "Session {SessionId} began.", EventName = "SessionBegan")]
    public static partial void SessionBegan(this ILogger logger, string sessionId);

    [LoggerMessage(2, LogLevel.Debug, "Session {SessionId} belongs to '{Name}', instance '{InstanceId}'.", EventName = "SessionOpened")]
    public static partial void SessionOpened(this ILogger logger, string sessionId, string name, string instanceId);

    [LoggerMessage(3, LogLevel.Debug, "Session {SessionId} ended: {Reason} It had {Machines} machines.", EventName = "SessionEnded")]
    public static partial void SessionEnded(this ILogger logger, string sessionId, string reason, int machines);

    [LoggerMessage(4, LogLevel.Debug, "The registrations of '{Name}', instance '{InstanceId}', expired with {Machines} unclaimed machines.", EventName = "RegistrationsExpired")]
    public static partial void RegistrationsExpired(this ILogger logger, string name, string instanceId, int machines);

    [LoggerMessage(12, LogLevel.Error, "The policy that says who may do what failed at {Action} '{Name}', which is refused.", EventName = "PolicyFailed")]
    public static partial void PolicyFailed(
        this ILogger logger, EventBusAction action, string name, Exception exception);
}
