using System.Diagnostics.Metrics;
using GrpcShm;
using GrpcShm.EventBus;
using GrpcShm.EventBus.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Contract = XStateNet.Events.V1.EventBus;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds a client of the event bus to the services of any program.</summary>
public static class EventBusClientServiceCollectionExtensions
{
    /// <summary>
    /// Adds an <see cref="EventClient"/>, one for the whole program. It talks to the hub by the generated client that
    /// <c>services.AddGrpcClient&lt;EventBus.EventBusClient&gt;(…)</c> adds, over the transport of that client, and
    /// logs and measures by the services. It connects by itself: when the host starts, or else at its first use.
    /// </summary>
    /// <remarks>
    /// The host's start does not wait for the hub. Sends and subscriptions wait for the first connection, and the
    /// attempts go on: the log and the health check say why there is none. A cancelled token ends a wait. After a lost
    /// connection, subscriptions wait, and sends wait until several attempts have failed: then they fail at once with
    /// <c>Unavailable</c> until there is a connection. A hub that refuses the client ends the attempts, and sends and
    /// subscriptions fail; the first use after 5 s begins again. <see cref="EventBusClientOptions.ConnectPipeline"/>
    /// says which refusals these are. To wait for the connection, or to be told that the hub cannot be reached, await
    /// <see cref="EventClient.ConnectAsync"/>; if it gives up, the attempts go on.
    /// </remarks>
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

        services.TryAddSingleton(static provider => new EventClient(
            provider.GetService<Contract.EventBusClient>() ?? throw new InvalidOperationException(
                "The event bus client has no gRPC client to call the hub by. "
                + "Add one: services.AddGrpcClient<XStateNet.Events.V1.EventBus.EventBusClient>(…)."),
            server: null,
            provider.GetRequiredService<IOptions<EventBusClientOptions>>().Value,
            connectsByItself: true));
        return services.AddHostedService<ClientStarter>();
    }

    /// <summary>As the other overload, with the client's options from a section of the configuration.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">
    /// A section with any of <c>Name</c>, <c>ConnectTimeout</c>, <c>AcknowledgementTimeout</c>, <c>MaxPendingSends</c>,
    /// <c>ReceiveWindow</c>, <c>DeliverLocally</c> and <c>MeasureDestinations</c>. It may be the section that holds the
    /// address for <c>UseSharedMemory</c>, too.
    /// </param>
    /// <param name="configure">Sets the options that only code can set; may be <see langword="null"/>.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentNullException">
    /// <paramref name="services"/> or <paramref name="configuration"/> is <see langword="null"/>.
    /// </exception>
    /// <exception cref="ArgumentException">The section has a key that is no setting.</exception>
    public static IServiceCollection AddEventBusClient(
        this IServiceCollection services, IConfiguration configuration, Action<EventBusClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        ClientSection.Check(configuration, ClientSection.EventKeys);
        services.Configure<EventBusClientOptions>(options => configuration.Get<ClientSettings>()?.ApplyTo(options));
        return services.AddEventBusClient(configure);
    }
}
