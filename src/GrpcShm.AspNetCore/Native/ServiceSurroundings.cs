using GrpcShm.AspNetCore.Native.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Native;

/// <summary>Who is told of the calls of a service. Any thread.</summary>
internal sealed class ServiceSurroundings(IServiceProvider services)
{
    /// <summary>The logger of calls, in the category of grpc-dotnet.</summary>
    public ILogger Logger { get; } = services.GetRequiredService<ILoggerFactory>().CreateLogger(GrpcLog.Name);

    /// <summary>Says whether somebody listens to what native calls do not tell.</summary>
    public RequestListeners Listeners { get; } = services.GetRequiredService<RequestListeners>();

    /// <summary>By what the host tells of its requests.</summary>
    public HostDiagnostics Host { get; } = services.GetRequiredService<HostDiagnostics>();
}
