using System.Diagnostics.Metrics;
using Grpc.Net.ClientFactory;
using GrpcShm.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Lets clients of the HTTP and gRPC client factories call over shared memory.</summary>
public static class SharedMemoryHttpClientBuilderExtensions
{
    /// <summary>Connects this client to the server that listens on a shared-memory endpoint.</summary>
    /// <param name="builder">The result of <c>AddGrpcClient</c> or <c>AddHttpClient</c>.</param>
    /// <param name="address">The endpoint: <c>name</c>, <c>shm:name</c> or <c>shm:///absolute/path.sock</c>.</param>
    /// <param name="configure">Changes the options, which start with what was configured for this client's
    /// name.</param>
    /// <returns>The builder.</returns>
    /// <remarks>
    /// A gRPC client needs no address of its own then; if it has one, only its scheme and authority are used. The
    /// handler lives as long as the service provider, since no address has to be looked up again.
    /// </remarks>
    /// <exception cref="ArgumentException"><paramref name="address"/> is none of these.</exception>
    public static IHttpClientBuilder UseSharedMemory(
        this IHttpClientBuilder builder, string address, Action<SharedMemoryClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);

        // A wrong address is refused now, and not at the first call.
        var endPoint = new GrpcShm.Transport.SharedMemoryEndPoint(address);
        var name = builder.Name;
        builder.Services.AddOptions<SharedMemoryClientOptions>(name);
        if (configure is not null)
        {
            builder.Services.Configure(name, configure);
        }

        builder.Services.TryAddSingleton<SharedMemoryHandlers>();
        builder.Services.PostConfigure<GrpcClientFactoryOptions>(
            name, grpc => grpc.Address ??= SharedMemoryChannel.AddressOf(endPoint));
        return builder
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(services =>
            {
                var options = services.GetRequiredService<Options.IOptionsMonitor<SharedMemoryClientOptions>>().Get(
                    name);
                return services.GetRequiredService<SharedMemoryHandlers>().Add(SharedMemoryChannel.CreateHandler(
                    address, options, services.GetService<ILoggerFactory>(), services.GetService<IMeterFactory>()));
            });
    }

    /// <summary>Connects this client as a section of the configuration says.</summary>
    /// <param name="builder">The result of <c>AddGrpcClient</c> or <c>AddHttpClient</c>.</param>
    /// <param name="configuration">
    /// A section with <c>Address</c> and any of the settings of <see cref="SharedMemoryClientOptions"/>.
    /// </param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">
    /// The section has no <c>Address</c>, or that is not the address of a shared-memory endpoint.
    /// </exception>
    public static IHttpClientBuilder UseSharedMemory(this IHttpClientBuilder builder, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configuration);
        var address = configuration["Address"]
            ?? throw new ArgumentException(
                "The configuration of the shared-memory client has no 'Address'. Set it to the name of the endpoint.",
                nameof(configuration));
        builder.Services.AddOptions<SharedMemoryClientOptions>(builder.Name).Bind(configuration);
        return builder.UseSharedMemory(address);
    }
}
