using Grpc.AspNetCore.Server;
using GrpcShm.EventBus;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the event bus to a server's services.</summary>
public static class EventBusServiceCollectionExtensions
{
    /// <summary>
    /// Adds gRPC and the event hub. Map it with <c>app.MapEventBus()</c>. The hub's own machines, if it has any, are
    /// made by <see cref="EventHub"/>.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets the hub's bounds; may be <see langword="null"/>.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is <see langword="null"/>.</exception>
    public static IServiceCollection AddEventBus(
        this IServiceCollection services, Action<EventBusOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        AddGrpc(services);
        services.AddMetrics();
        services.AddOptions<EventBusOptions>().ValidateOnStart();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<EventBusOptions>, EventBusOptionsValidation>());
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.TryAddSingleton<HubCore>();
        services.TryAddSingleton(provider => new EventHub(
            provider.GetRequiredService<HubCore>(),
            provider.GetRequiredService<IOptions<LocalMachineOptions>>().Value));
        services.TryAddSingleton<EventBusService>();
        return services;
    }

    /// <summary>Adds gRPC and the event hub, with its bounds from a section of the configuration.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">A section with any of the settings of <see cref="EventBusOptions"/>.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentNullException">An argument is <see langword="null"/>.</exception>
    public static IServiceCollection AddEventBus(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<EventBusOptions>().Bind(configuration);
        return services.AddEventBus();
    }

    // The limits of gRPC for this service alone: they must not be lower than what the hub's own limit allows.
    private static void AddGrpc(IServiceCollection services)
    {
        // It copies the settings for all services first, whatever they are.
        services.AddGrpc().AddServiceOptions<EventBusService>(static _ => { });
        services.AddOptions<GrpcServiceOptions<EventBusService>>().PostConfigure<IOptions<EventBusOptions>>(
            static (service, hub) =>
            {
                var least = MessageSize.LimitFor(hub.Value.MaxEventSize);
                service.MaxReceiveMessageSize = Raise(service.MaxReceiveMessageSize, least);
                service.MaxSendMessageSize = Raise(service.MaxSendMessageSize, least);
            });
    }

    private static int? Raise(int? limit, int least) => limit is null ? null : Math.Max(limit.Value, least);
}
