using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Diagnostics;

internal static partial class EventBusLog
{
    [LoggerMessage(1, LogLevel.Debug, "Session {SessionId} began.", EventName = "SessionBegan")]
    public static partial void SessionBegan(this ILogger logger, string sessionId);

    [LoggerMessage(2, LogLevel.Debug, "Session {SessionId} belongs to '{Name}', instance '{InstanceId}'.", EventName = "SessionOpened")]
    public static partial void SessionOpened(this ILogger logger, string sessionId, string name, string instanceId);

    [LoggerMessage(3, LogLevel.Debug, "Session {SessionId} ended: {Reason} It had {Machines} machines.", EventName = "SessionEnded")]
    public static partial void SessionEnded(this ILogger logger, string sessionId, string reason, int machines);

    [LoggerMessage(4, LogLevel.Debug, "The registrations of '{Name}', instance '{InstanceId}', expired with {Machines} unclaimed machines.", EventName = "RegistrationsExpired")]
    public static partial void RegistrationsExpired(this ILogger logger, string name, string instanceId, int machines);

    [LoggerMessage(5, LogLevel.Error, "The handler of the machine '{MachineId}' failed.", EventName = "HandlerFailed")]
    public static partial void HandlerFailed(this ILogger logger, string machineId, Exception exception);
}
