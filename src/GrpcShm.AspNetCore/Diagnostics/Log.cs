using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Diagnostics;

/// <summary>The log messages of endpoints, and of calls in direct mode. Ids and names are stable.</summary>
internal static partial class Log
{
    public const string Category = "GrpcShm.AspNetCore";

    [LoggerMessage(101, LogLevel.Error,
        "Connection {ConnectionId}, request {TraceIdentifier}: an unhandled exception was thrown by the application.",
        EventName = "ApplicationFailed")]
    public static partial void ApplicationFailed(
        ILogger logger, string connectionId, string traceIdentifier, Exception exception);

    [LoggerMessage(102, LogLevel.Error,
        "Connection {ConnectionId}: a callback of the RequestAborted token of a request threw an exception.",
        EventName = "CallbackFailed")]
    public static partial void CallbackFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(
        EventId = 103,
        Message = "'{EndPoint}' has connection middleware that wraps the transport, so its clients {Consequence}.",
        EventName = "DirectModeForbidden")]
    public static partial void DirectModeForbidden(
        ILogger logger, LogLevel level, Transport.SharedMemoryEndPoint endPoint, string consequence);

    [LoggerMessage(104, LogLevel.Information,
        "{Reason} Waiting up to {WaitForName} until that process releases '{EndPoint}'.", EventName = "WaitingForName")]
    public static partial void WaitingForName(
        ILogger logger, Transport.SharedMemoryEndPoint endPoint, string reason, TimeSpan waitForName);

    [LoggerMessage(105, LogLevel.Debug,
        "Connection {ConnectionId}: a request was refused. {Reason}", EventName = "RequestRefused")]
    public static partial void RequestRefused(ILogger logger, string connectionId, string reason);

    [LoggerMessage(106, LogLevel.Debug,
        "Connection {ConnectionId}: {Count} more requests have been refused since then.",
        EventName = "MoreRequestsRefused")]
    public static partial void MoreRequestsRefused(ILogger logger, string connectionId, long count);

    [LoggerMessage(
        EventId = 107,
        Message = "'{EndPoint}' offers no direct mode, since {Reason}. If this is intended, set Mode to Http2.",
        EventName = "DirectModeNotOffered")]
    public static partial void DirectModeNotOffered(
        ILogger logger, LogLevel level, Transport.SharedMemoryEndPoint endPoint, string reason);

    [LoggerMessage(108, LogLevel.Warning,
        "Nobody listens on {EndPoints}: the server of this host is {Server}, and only Kestrel has shared-memory "
        + "endpoints. Use Kestrel as the server. Of a WebApplicationFactory call UseKestrel() and StartServer().",
        EventName = "ServerIsNotKestrel")]
    public static partial void ServerIsNotKestrel(ILogger logger, Type server, string endPoints);

    [LoggerMessage(109, LogLevel.Error,
        "Connection {ConnectionId}: a listener of the instrument '{Instrument}' threw an exception.",
        EventName = "ListenerFailed")]
    public static partial void ListenerFailed(
        ILogger logger, string connectionId, string instrument, Exception exception);

    [LoggerMessage(110, LogLevel.Warning,
        "This server has no shared-memory endpoint, although UseSharedMemory was called. Name one in code "
        + "(kestrel.ListenSharedMemory(\"orders\") in ConfigureKestrel), in the configuration "
        + "(SharedMemory:Endpoints:0), or as an address (--urls shm:orders). If it is to have none, do not call "
        + "UseSharedMemory.",
        EventName = "NoEndPoint")]
    public static partial void NoEndPoint(ILogger logger);

    [LoggerMessage(111, LogLevel.Warning,
        "The name of {User} could not be looked up, so the claims of a call have no name. The next call tries again.",
        EventName = "UserNameFailed")]
    public static partial void UserNameFailed(ILogger logger, Transport.PeerIdentity user, Exception exception);

    [LoggerMessage(112, LogLevel.Warning,
        "The name of {User} is not known after {UserNameTimeout} (UserNameTimeout), so the claims of a call have no "
        + "name. Calls have it as soon as the system's list of users answers.",
        EventName = "UserNameLate")]
    public static partial void UserNameLate(ILogger logger, Transport.PeerIdentity user, TimeSpan userNameTimeout);

    [LoggerMessage(113, LogLevel.Warning,
        "Since then {Count} more calls had no user name, for one of these reasons.",
        EventName = "MoreUserNamesMissing")]
    public static partial void MoreUserNamesMissing(ILogger logger, long count);

    [LoggerMessage(114, LogLevel.Warning,
        "'{Setting}' has become '{Address}'. A server listens on shared-memory endpoints from its start: restart it.",
        EventName = "RestartNeeded")]
    public static partial void RestartNeeded(ILogger logger, string setting, string address);

    [LoggerMessage(115, LogLevel.Warning,
        "Nobody listens on {Place}, since this server has endpoints {Others}, which replace all such addresses. Name "
        + "the endpoint there too (kestrel.ListenSharedMemory(\"{EndPoint}\") in ConfigureKestrel), or in the "
        + "configuration (SharedMemory:Endpoints:0).",
        EventName = "AddressReplaced")]
    public static partial void AddressReplaced(
        ILogger logger, string place, string others, Transport.SharedMemoryEndPoint endPoint);

    [LoggerMessage(120, LogLevel.Debug,
        "Connection {ConnectionId}, request {TraceIdentifier}: ended by a time limit. {Reason}",
        EventName = "RequestOverdue")]
    public static partial void RequestOverdue(
        ILogger logger, string connectionId, string traceIdentifier, string reason);

    [LoggerMessage(121, LogLevel.Debug,
        "Connection {ConnectionId} had no calls for {KeepAliveTimeout} (KeepAliveTimeout) and is closed.",
        EventName = "ConnectionIdle")]
    public static partial void ConnectionIdle(ILogger logger, string connectionId, TimeSpan keepAliveTimeout);

    [LoggerMessage(122, LogLevel.Information,
        "Connection {ConnectionId} is aborted: its client read the responses at less than {BytesPerSecond} bytes per "
        + "second (MinResponseDataRate).", EventName = "ConnectionTooSlow")]
    public static partial void ConnectionTooSlow(ILogger logger, string connectionId, double bytesPerSecond);

    [LoggerMessage(123, LogLevel.Error,
        "Connection {ConnectionId} is aborted: its time limits could not be checked.", EventName = "HeartbeatFailed")]
    public static partial void HeartbeatFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(130, LogLevel.Warning,
        "This library does not know the internals of this version of Kestrel, so it cannot avoid a defect of its "
        + "HTTP/2: in rare cases a response is never sent (dotnet/aspnetcore#53736). Set deadlines, or use direct "
        + "mode.",
        EventName = "KestrelIsUnknown")]
    public static partial void KestrelIsUnknown(ILogger logger, Exception exception);

    [LoggerMessage(140, LogLevel.Information,
        "Calls in direct mode to {Services} are dispatched natively. Middleware of the application's own that does not "
        + "run for them: {Middleware}.",
        EventName = "NativeDispatch")]
    public static partial void NativeDispatch(ILogger logger, string services, string middleware);

    [LoggerMessage(141, LogLevel.Information,
        "{Service} asks for native dispatch, and calls to {Methods} take the full pipeline, since {Reason}.",
        EventName = "NativeDispatchNotPossible")]
    public static partial void NativeDispatchNotPossible(
        ILogger logger, string service, string methods, string reason);

    [LoggerMessage(142, LogLevel.Warning,
        "It could not be found out which calls can be dispatched natively, so all of them take the full pipeline.",
        EventName = "NativeDispatchUnproved")]
    public static partial void NativeDispatchUnproved(ILogger logger, Exception exception);

    [LoggerMessage(143, LogLevel.Information,
        "Calls in direct mode to {Services} take the full pipeline, since {Reason}.",
        EventName = "NativeDispatchNotProved")]
    public static partial void NativeDispatchNotProved(ILogger logger, string services, string reason);
}
