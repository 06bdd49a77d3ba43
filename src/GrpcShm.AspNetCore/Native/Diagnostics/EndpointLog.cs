using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Native.Diagnostics;

/// <summary>
/// What routing logs of an endpoint that is executed, with its category, ids, names and texts: people have filters for
/// them.
/// </summary>
internal static partial class EndpointLog
{
    /// <summary>The category of the logger.</summary>
    public const string Name = "Microsoft.AspNetCore.Routing.EndpointMiddleware";

    [LoggerMessage(0, LogLevel.Information, "Executing endpoint '{EndpointName}'", EventName = "ExecutingEndpoint")]
    public static partial void Executing(ILogger logger, Endpoint endpointName);

    [LoggerMessage(1, LogLevel.Information, "Executed endpoint '{EndpointName}'", EventName = "ExecutedEndpoint")]
    public static partial void Executed(ILogger logger, Endpoint endpointName);
}
