using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// A server in front of Kestrel. It sees the application that Kestrel serves, so that calls in direct mode can be
/// passed to the same application.
/// </summary>
internal sealed class DirectServer(IServer inner, DirectApplication application) : IServer
{
    public IFeatureCollection Features => inner.Features;

    public Task StartAsync<TContext>(IHttpApplication<TContext> served, CancellationToken cancellationToken)
        where TContext : notnull
    {
        application.StandsBefore = true;
        return inner.StartAsync(application.Serve(served), cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => inner.StopAsync(cancellationToken);

    public void Dispose() => inner.Dispose();
}
