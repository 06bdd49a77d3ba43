using GrpcShm.AspNetCore.Direct;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Hosting;

/// <summary>
/// Runs <see cref="HostingAddresses"/> at the one moment at which hosting knows its addresses and the server has not
/// started yet: while the application is built.
/// </summary>
internal sealed class HostingAddressesStartupFilter(
    IOptions<KestrelServerOptions> options, IServer server, KestrelInternals internals, DirectApplication application) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next)
    {
        if (IsAnother(server))
        {
            TellOfOtherServer();
        }
        else
        {
            HostingAddresses.MoveTo(options.Value, server, internals);
        }

        return next;
    }

    // One that nobody knows may be somebody's own around Kestrel.
    private static bool IsAnother(IServer server) => server is not DirectServer
        && server.GetType().Assembly is var assembly
        && assembly != typeof(KestrelServer).Assembly
        && assembly.GetName().Name?.StartsWith("Microsoft.AspNetCore.", StringComparison.Ordinal) == true;

    private void TellOfOtherServer()
    {
        // To ask for Kestrel's options has Kestrel's own setup run, endpoints of the configuration included.
        var listened = internals.ListenedInCode(options.Value)?.Select(static listen => listen.EndPoint).OfType<SharedMemoryEndPoint>().ToList();
        if (listened is { Count: > 0 })
        {
            Diagnostics.Log.ServerIsNotKestrel(application.Logger, server.GetType(), string.Join(", ", listened));
        }
    }
}
