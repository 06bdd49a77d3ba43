using GrpcShm.EventBus;
using GrpcShm.EventBus.Diagnostics;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds a client of the event bus to the health checks of any program.</summary>
public static class EventBusClientHealthChecksBuilderExtensions
{
    /// <summary>
    /// Checks the <see cref="EventClient"/> that the services hold: healthy while it is connected, degraded while it
    /// tries to get its connection back.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="name">The check's name.</param>
    /// <param name="failureStatus">
    /// The status that is reported while the client is disconnected, or <see langword="null"/> for unhealthy.
    /// </param>
    /// <param name="tags">Tags by which checks are chosen, or <see langword="null"/> for none.</param>
    /// <returns>The health checks.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is <see langword="null"/>.</exception>
    public static IHealthChecksBuilder AddEventBusClient(
        this IHealthChecksBuilder builder,
        string name = "eventbus-client",
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(
            name, provider => new ClientHealthCheck(provider.GetRequiredService<EventClient>()), failureStatus, tags));
    }
}
