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
internal sealed class HostingAddressesStartupFilter(IOptions<KestrelServerOptions> options, IServer server) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next)
    {
        HostingAddresses.MoveTo(options.Value, server);
        return next;
    }
}
