using System.Diagnostics.Metrics;
using GrpcShm.EventBus;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Service;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Contract = XStateNet.Events.V1.EventBus;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the event bus to a server's services, or its client to those of any program.</summary>
public static class EventBusServiceCollectionExtensions
{
    /// <summary>
    /// Adds gRPC and the event hub. Map it with <c>app.MapEventBus()</c>. The hub's own machines, if it has any, are made
    /// by <see cref="EventHub"/>.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets the hub's bounds; may be <see langword="null"/>.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is <see langword="null"/>.</exception>
    public static IServiceCollection AddEventBus(this IServiceCollection services, Action<EventBusOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddGrpc();
        services.AddMetrics();
        services.AddOptions<EventBusOptions>();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.TryAddSingleton<HubCore>();
        services.TryAddSingleton(provider => new EventHub(provider.GetRequiredService<HubCore>()));
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

    /// <summary>
    /// Adds an <see cref="EventBusClient"/>, one for the whole program. It talks to the hub by the generated client that
    /// <c>services.AddGrpcClient&lt;EventBus.EventBusClient&gt;(…)</c> adds, over whatever transport that one has, and logs and
    /// measures by the services. It is not connected: whoever needs it calls <see cref="EventBusClient.ConnectAsync"/>,
    /// which does nothing if another one has.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets how it connects, sends and encodes; may be <see langword="null"/>.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is <see langword="null"/>.</exception>
    public static IServiceCollection AddEventBusClient(
        this IServiceCollection services, Action<EventBusClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<EventBusClientOptions>().PostConfigure<IServiceProvider>(static (options, provider) =>
        {
            options.LoggerFactory ??= provider.GetService<ILoggerFactory>();
            options.MeterFactory ??= provider.GetService<IMeterFactory>();
        });
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.TryAddSingleton(static provider => new EventBusClient(
            provider.GetService<Contract.EventBusClient>() ?? throw new InvalidOperationException(
                "The event bus client has no gRPC client to call the hub by. "
                + "Add one: services.AddGrpcClient<XStateNet.Events.V1.EventBus.EventBusClient>(…)."),
            provider.GetRequiredService<IOptions<EventBusClientOptions>>().Value));
        return services;
    }

    /// <summary>As the other overload, with the client's options from a section of the configuration.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">
    /// A section with any of <c>Name</c>, <c>ConnectTimeout</c>, <c>AcknowledgementTimeout</c>, <c>MaxPendingSends</c>,
    /// <c>ReceiveWindow</c>, <c>DeliverLocally</c> and <c>MeasureDestinations</c>. It may be the section that holds the
    /// address for <c>UseSharedMemory</c>, too.
    /// </param>
    /// <param name="configure">Sets what only code can set; may be <see langword="null"/>.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentNullException">
    /// <paramref name="services"/> or <paramref name="configuration"/> is <see langword="null"/>.
    /// </exception>
    public static IServiceCollection AddEventBusClient(
        this IServiceCollection services, IConfiguration configuration, Action<EventBusClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.Configure<EventBusClientOptions>(options => configuration.Get<ClientSettings>()?.ApplyTo(options));
        return services.AddEventBusClient(configure);
    }
}
