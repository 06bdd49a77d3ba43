using GrpcShm.AspNetCore;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Extensions.</summary>
public static class SharedMemoryHostingExtensions
{
    /// <summary>Uses.</summary>
    public static IWebHostBuilder UseSharedMemory(this IWebHostBuilder builder, Action<SharedMemoryTransportOptions>? configure = null) => throw new NotImplementedException();

    /// <summary>Listens.</summary>
    public static void ListenSharedMemory(this KestrelServerOptions options, string nameOrPath, Action<ListenOptions>? configure = null) => throw new NotImplementedException();
}
