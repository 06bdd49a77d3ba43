using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Http2;

/// <summary>
/// The application as Kestrel has it: each request passes here before anything can be answered to it.
/// </summary>
internal sealed class KestrelApplication<TContext>(IHttpApplication<TContext> served, StaleSchedules schedules) : IHttpApplication<TContext>
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
