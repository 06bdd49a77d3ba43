using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Native.Diagnostics;

/// <summary>
/// Says whether anybody listens to what native calls do not tell. While somebody does, calls take the full pipeline,
/// which tells all of it. One for each host, asked once for each call. Any thread.
/// </summary>
/// <remarks>
/// What native calls tell themselves, <see cref="RequestDiagnostics"/> tells: spans, scopes, metrics, and the lines at
/// Information and above.
/// </remarks>
internal sealed class RequestListeners
{
    private readonly DiagnosticListener _events;

    // Hosting makes its source when the host starts, gRPC makes its own with the first call that it serves.
    private readonly ForeignEventSource _hosting = new("Microsoft.AspNetCore.Hosting");
    private readonly ForeignEventSource _grpc = new("Grpc.AspNetCore.Server");

    // The loggers that write lines of each call at Debug or Trace. The first two are those of middleware that lets
    // calls pass, and is there in most applications.
    private readonly ILogger _hosts;
    private readonly ILogger _files;
    private readonly ILogger _routing;
    private readonly ILogger _matching;
    private readonly ILogger _calls;

    /// <param name="events">The listener to which hosting and routing write, from the services of the host.</param>
    /// <param name="loggers">The host's loggers.</param>
    public RequestListeners(DiagnosticListener events, ILoggerFactory loggers)
    {
        _events = events;
        _hosts = loggers.CreateLogger("Microsoft.AspNetCore.HostFiltering.HostFilteringMiddleware");
        _files = loggers.CreateLogger("Microsoft.AspNetCore.StaticFiles.StaticFileMiddleware");
        _routing = loggers.CreateLogger("Microsoft.AspNetCore.Routing.EndpointRoutingMiddleware");
        _matching = loggers.CreateLogger("Microsoft.AspNetCore.Routing.Matching.DfaMatcher");
        _calls = loggers.CreateLogger("Grpc.AspNetCore.Server.ServerCallHandler");
    }

    /// <summary>True if anybody listens to a call that begins now.</summary>
    public bool AreThere =>
        _events.IsEnabled()
        || _hosting.IsHeard
        || _grpc.IsHeard
        || _routing.IsEnabled(LogLevel.Debug)
        || _matching.IsEnabled(LogLevel.Debug)
        || _calls.IsEnabled(LogLevel.Debug)
        || _files.IsEnabled(LogLevel.Debug)
        || _hosts.IsEnabled(LogLevel.Trace);
}
