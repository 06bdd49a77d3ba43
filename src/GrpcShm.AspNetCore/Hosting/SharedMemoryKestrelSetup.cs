using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Hosting;

/// <summary>Listens on the endpoints that the configuration names.</summary>
internal sealed class SharedMemoryKestrelSetup(IOptions<SharedMemoryTransportOptions> options)
    : IConfigureOptions<KestrelServerOptions>
{
    void IConfigureOptions<KestrelServerOptions>.Configure(KestrelServerOptions kestrel)
    {
        foreach (var endPoint in options.Value.Endpoints)
        {
            kestrel.ListenSharedMemory(endPoint);
        }
    }
}
