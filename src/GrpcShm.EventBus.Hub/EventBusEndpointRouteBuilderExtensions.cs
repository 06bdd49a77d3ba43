using GrpcShm.EventBus;
using GrpcShm.EventBus.Service;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the event bus into a server's routes.</summary>
public static class EventBusEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps the service <c>xstatenet.events.v1.EventBus</c>, on all of the server's endpoints. Needs
    /// <c>services.AddEventBus()</c>.
    /// </summary>
    /// <param name="endpoints">The routes.</param>
    /// <returns>A builder for further conventions, for example authorization.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="endpoints"/> is <see langword="null"/>.</exception>
    /// <exception cref="InvalidOperationException">
    /// <c>AddEventBus</c> was not called, or <see cref="EventBusOptions.AuthorizationPolicy"/> is set and
    /// <c>AddAuthorization</c> was not called.
    /// </exception>
    public static GrpcServiceEndpointConventionBuilder MapEventBus(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        CheckPolicy(endpoints.ServiceProvider);
        return endpoints.MapGrpcService<EventBusService>();
    }

    // At start-up, so that a wrong setting does not refuse every caller later.
    private static void CheckPolicy(IServiceProvider services)
    {
        if (services.GetService<IOptions<EventBusOptions>>()?.Value.AuthorizationPolicy is { } policy
            && services.GetService<IAuthorizationService>() is null)
        {
            throw new InvalidOperationException(
                $"The hub's AuthorizationPolicy is '{policy}', but the server has no authorization. "
                + "Add it with the policy: services.AddAuthorization(options => options.AddPolicy(…)).");
        }
    }
}
