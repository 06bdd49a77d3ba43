using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Service;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the event bus to a server's health checks.</summary>
public static class EventBusHealthChecksBuilderExtensions
{
    /// <summary>
    /// Checks the hub of this server: whether it takes new work. Needs <c>services.AddEventBus()</c>.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="name">The check's name.</param>
    /// <param name="failureStatus">
    /// The status that is reported when the hub stops, or <see langword="null"/> for unhealthy.
    /// </param>
    /// <param name="tags">Tags by which checks are chosen, or <see langword="null"/> for none.</param>
    /// <returns>The health checks.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is <see langword="null"/>.</exception>
    public static IHealthChecksBuilder AddEventBus(
        this IHealthChecksBuilder builder,
        string name = "eventbus",
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(
            name, provider => new HubHealthCheck(provider.GetRequiredService<HubCore>()), failureStatus, tags));
    }
}
