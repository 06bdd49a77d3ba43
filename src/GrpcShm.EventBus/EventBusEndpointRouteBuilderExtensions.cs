using GrpcShm.EventBus.Service;
using Microsoft.AspNetCore.Routing;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the event bus into a server's routes.</summary>
public static class EventBusEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps the service <c>xstatenet.events.v1.EventBus</c>, on all of the server's endpoints. Needs
    /// <c>services.AddEventBus()</c>.
    /// </summary>
    /// <param name="endpoints">The routes.</param>
    /// <returns>What further conventions, for example authorization, are added to.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="endpoints"/> is <see langword="null"/>.</exception>
    /// <exception cref="InvalidOperationException"><c>AddEventBus</c> was not called.</exception>
    public static GrpcServiceEndpointConventionBuilder MapEventBus(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        return endpoints.MapGrpcService<EventBusService>();
    }
}
