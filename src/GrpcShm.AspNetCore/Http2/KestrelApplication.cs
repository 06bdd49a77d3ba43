using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Http2;

/// <summary>
/// The application that Kestrel is given: each request comes here before any part of its response can be sent.
/// </summary>
internal sealed class KestrelApplication<TContext>(IHttpApplication<TContext> served, StaleSchedules schedules)
    : IHttpApplication<TContext>
    where TContext : notnull
{
    public TContext CreateContext(IFeatureCollection contextFeatures)
    {
        schedules.Clear(contextFeatures);
        return served.CreateContext(contextFeatures);
    }

    public Task ProcessRequestAsync(TContext context) => served.ProcessRequestAsync(context);

    public void DisposeContext(TContext context, Exception? exception) => served.DisposeContext(context, exception);
}
