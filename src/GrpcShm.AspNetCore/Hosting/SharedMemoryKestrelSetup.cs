using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Hosting;

/// <summary>
/// Listens on the endpoints that the options name, once each, after all code that listens by itself has run.
/// </summary>
internal sealed class SharedMemoryKestrelSetup(
    IOptions<SharedMemoryTransportOptions> options, KestrelInternals internals)
    : IPostConfigureOptions<KestrelServerOptions>
{
    public void PostConfigure(string? name, KestrelServerOptions kestrel)
    {
        foreach (var text in options.Value.Endpoints)
        {
            var endPoint = new SharedMemoryEndPoint(text);
            if (internals.ListenedInCode(kestrel)?.Exists(o => endPoint.Equals(o.EndPoint)) != true)
            {
                kestrel.ListenSharedMemory(
                    text,
                    static listen => EndPointPlaces.Note(
                        listen.EndPoint,
                        $"'{SharedMemorySection.Name}:{SharedMemorySection.Endpoints}' (the configuration, or the "
                        + "options of UseSharedMemory)"));
            }
        }
    }
}
