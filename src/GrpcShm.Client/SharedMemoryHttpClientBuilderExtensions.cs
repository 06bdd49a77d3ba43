using System.Diagnostics.Metrics;
using Grpc.Net.ClientFactory;
using GrpcShm;
using GrpcShm.Client;
using GrpcShm.Client.Native;
using GrpcShm.Transport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Lets clients of the HTTP and gRPC client factories call over shared memory.</summary>
public static class SharedMemoryHttpClientBuilderExtensions
{
    /// <summary>
    /// Connects this gRPC client to the server that listens on the shared-memory endpoint of the client's own address.
    /// </summary>
    /// <param name="builder">The result of <c>AddGrpcClient</c>.</param>
    /// <returns>The builder.</returns>
    /// <remarks>
    /// The address is one that a server logs, or <c>shm:name</c>, or <c>shm:///absolute/path.sock</c>. An address that
    /// is none of these, or is not set, is refused when the client is made for the first time.
    /// </remarks>
    /// <example>
    /// <code>
    /// services.AddGrpcClient&lt;Orders.OrdersClient&gt;(client => client.Address = new Uri("http://shm:/orders"))
    ///     .UseSharedMemory();
    /// </code>
    /// </example>
    public static IHttpClientBuilder UseSharedMemory(this IHttpClientBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseSharedMemory(endPoint: null, isSecure: false);
    }

    /// <summary>Connects this client to the server that listens on a shared-memory endpoint.</summary>
    /// <param name="builder">The result of <c>AddGrpcClient</c> or <c>AddHttpClient</c>.</param>
    /// <param name="address">
    /// The endpoint: <c>name</c>, <c>shm:name</c> or <c>shm:///absolute/path.sock</c>, or as a server logs it,
    /// <c>http://shm:/name</c>.
    /// </param>
    /// <param name="configure">Changes the options, which start with what was configured for this client's
    /// name.</param>
    /// <returns>The builder.</returns>
    /// <remarks>
    /// A gRPC client needs no address of its own then; if it has one, only its scheme and authority are used. The
    /// handler lives as long as the service provider, since no address has to be looked up again.
    /// A gRPC client frames its calls by itself, as a channel of <see cref="SharedMemoryChannel"/> does, unless it has
    /// a handler of the application's own, or loggers of its HTTP requests are on.
    /// </remarks>
    /// <exception cref="ArgumentException"><paramref name="address"/> is none of these.</exception>
    public static IHttpClientBuilder UseSharedMemory(
        this IHttpClientBuilder builder, string address, Action<SharedMemoryClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);

        // A wrong address is refused now, and not at the first call.
        var endPoint = new SharedMemoryEndPoint(address);
        if (configure is not null)
        {
            builder.Services.Configure(builder.Name, configure);
        }

        return builder.UseSharedMemory(endPoint, SharedMemoryChannel.IsSecure(address));
    }

    /// <summary>Connects this client as a section of the configuration says.</summary>
    /// <param name="builder">The result of <c>AddGrpcClient</c> or <c>AddHttpClient</c>.</param>
    /// <param name="configuration">
    /// A section with <c>Address</c> and any of the settings of <see cref="SharedMemoryClientOptions"/>. It may be the
    /// section of the event service's client, too.
    /// </param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">
    /// The section has no <c>Address</c>, or that is not the address of a shared-memory endpoint, or the section has a
    /// key that is no setting.
    /// </exception>
    public static IHttpClientBuilder UseSharedMemory(this IHttpClientBuilder builder, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configuration);
        ClientSection.Check(configuration, ClientSection.ConnectionKeys);
        var setting = configuration.GetSection(ClientSection.Address);
        if (setting.Value is not { } address)
        {
            throw new ArgumentException(
                $"The configuration of the shared-memory client has no '{setting.Path}'. Set it to the endpoint's "
                + "address, as 'shm:orders'.",
                nameof(configuration));
        }

        if (!SharedMemoryEndPoint.TryParse(address, out var endPoint, out var problem))
        {
            throw new ArgumentException($"The setting '{setting.Path}' is wrong: {problem}", nameof(configuration));
        }

        builder.Services.AddOptions<SharedMemoryClientOptions>(builder.Name)
            .Configure(_ => CheckValues(builder.Name, configuration))
            .Bind(configuration);
        return builder.UseSharedMemory(endPoint, SharedMemoryChannel.IsSecure(address));
    }

    /// <summary>Refuses values that the options refuse, and names their keys. Before the options are bound.</summary>
    /// <exception cref="OptionsValidationException">A value is refused; the message says why.</exception>
    private static void CheckValues(string client, IConfiguration configuration)
    {
        List<string> failures =
        [
            .. ClientSection.ConnectionKeys
                .Select(key => SettingValue.FindMistake(
                    configuration.GetSection(key), static alone => alone.Bind(new SharedMemoryClientOptions())))
                .OfType<string>(),
        ];
        if (failures.Count > 0)
        {
            throw new OptionsValidationException(client, typeof(SharedMemoryClientOptions), failures);
        }
    }

    /// <summary>Connects a client to an endpoint, or to that of the client's own address.</summary>
    private static IHttpClientBuilder UseSharedMemory(
        this IHttpClientBuilder builder, SharedMemoryEndPoint? endPoint, bool isSecure)
    {
        var name = builder.Name;
        builder.Services.AddOptions<SharedMemoryClientOptions>(name);
        builder.Services.TryAddSingleton<SharedMemoryHandlers>();
        builder.Services.TryAddSingleton<ClientEndPoints>();
        builder.Services.TryAddScoped<FactoryChannelOptions>();
        builder.Services.AddOptions<GrpcClientFactoryOptions>(name).PostConfigure<ClientEndPoints>(
            (grpc, endPoints) =>
            {
                grpc.Address = endPoints.Choose(name, endPoint, isSecure, grpc.Address);
                FactoryClients.Add(grpc, name);
            });
        return builder
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(services =>
            {
                // The client's own address is read when these options are made.
                _ = services.GetRequiredService<IOptionsMonitor<GrpcClientFactoryOptions>>().Get(name);
                var address = endPoint ?? services.GetRequiredService<ClientEndPoints>().Find(name);
                var options = services.GetRequiredService<IOptionsMonitor<SharedMemoryClientOptions>>().Get(name);
                return services.GetRequiredService<SharedMemoryHandlers>().Add(SharedMemoryChannel.CreateHandler(
                    address.ToString(),
                    options,
                    services.GetService<ILoggerFactory>(),
                    services.GetService<IMeterFactory>()));
            });
    }
}
