using System.Diagnostics.Metrics;
using GrpcShm.AspNetCore.Direct;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Tests;

/// <summary>A host that serves nothing, and so offers no direct mode.</summary>
internal static class NoApplication
{
    // Lives as long as the process, since its tests share it.
    private static readonly ServiceProvider Services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public static DirectApplication Create() =>
        new(
            Options.Create(new SharedMemoryTransportOptions()),
            Options.Create(new KestrelServerOptions()),
            NullLoggerFactory.Instance,
            Services.GetRequiredService<IMeterFactory>(),
            new GrpcShm.AspNetCore.Hosting.KestrelInternals(),
            Services);
}
