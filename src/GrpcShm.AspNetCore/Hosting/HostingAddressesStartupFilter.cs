using GrpcShm.AspNetCore.Direct;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Hosting;

/// <summary>
/// Runs <see cref="KestrelSection"/> and <see cref="HostingAddresses"/> while the application is built: only then
/// hosting knows its addresses and the server has not started yet.
/// </summary>
internal sealed class HostingAddressesStartupFilter(
    IOptions<KestrelServerOptions> options,
    IServer server,
    KestrelInternals internals,
    DirectApplication application) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next)
    {
        if (IsAnother(server))
        {
            LogOtherServer();
        }
        else
        {
            var isConfigured = KestrelSection.MoveTo(options.Value, internals, application.Logger);
            var replaced = HostingAddresses.MoveTo(options.Value, server, internals, isConfigured);
            foreach (var address in replaced)
            {
                Diagnostics.Log.AddressReplaced(
                    application.Logger,
                    address.Place,
                    isConfigured ? "in Kestrel's section of the configuration" : "in code",
                    address.EndPoint);
            }

            // One of the two lines is enough: an address that is replaced is not unknown to the application.
            if (replaced.Count == 0)
            {
                LogIfThereIsNoEndPoint();
            }
        }

        return next;
    }

    // A server of the application's own may be a wrapper around Kestrel, so only Microsoft's other servers count.
    private static bool IsAnother(IServer server) => server is not DirectServer
        && server.GetType().Assembly is var assembly
        && assembly != typeof(KestrelServer).Assembly
        && assembly.GetName().Name?.StartsWith("Microsoft.AspNetCore.", StringComparison.Ordinal) == true;

    // A warning and no error: a server may have its TCP endpoints alone in one environment, and name a shared-memory
    // endpoint by the configuration of another one. Kestrel, too, starts without any endpoint that it was told of.
    private void LogIfThereIsNoEndPoint()
    {
        if (internals.ListenedInCode(options.Value) is { } listened
            && !listened.Exists(static listen => listen.EndPoint is SharedMemoryEndPoint))
        {
            Diagnostics.Log.NoEndPoint(application.Logger);
        }
    }

    private void LogOtherServer()
    {
        // When Kestrel's options are asked for, Kestrel's own setup runs, which adds the endpoints of the
        // configuration.
        var listened = internals.ListenedInCode(options.Value)?
            .Select(static listen => listen.EndPoint)
            .OfType<SharedMemoryEndPoint>()
            .Select(static endPoint => endPoint.Plain)
            .ToList();
        if (listened is { Count: > 0 })
        {
            Diagnostics.Log.ServerIsNotKestrel(application.Logger, server.GetType(), string.Join(", ", listened));
        }
    }
}
