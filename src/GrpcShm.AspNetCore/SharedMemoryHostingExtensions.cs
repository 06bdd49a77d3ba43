using System.Net;
using GrpcShm.AspNetCore;
using GrpcShm.AspNetCore.Connections;
using GrpcShm.AspNetCore.Direct;
using GrpcShm.AspNetCore.Hosting;
using GrpcShm.AspNetCore.Native.Diagnostics;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Lets Kestrel serve clients over shared memory, beside its other transports.</summary>
public static class SharedMemoryHostingExtensions
{
    /// <summary>
    /// Adds the shared-memory transport to Kestrel. It takes the endpoints of <see cref="ListenSharedMemory"/>, those
    /// in <see cref="SharedMemoryTransportOptions.Endpoints"/>, and those that <c>--urls</c>, <c>ASPNETCORE_URLS</c> or
    /// <c>Kestrel:Endpoints:…:Url</c> name as <c>shm:name</c>, or as a server logs them (<c>http://shm:/name</c>). It
    /// leaves all others as they are.
    /// </summary>
    /// <param name="builder">The web host.</param>
    /// <param name="configure">
    /// Changes the options, which start with what the section <c>SharedMemory</c> of the configuration says. A server
    /// does not start if that section has a key that is no setting.
    /// </param>
    /// <returns>The web host.</returns>
    public static IWebHostBuilder UseSharedMemory(
        this IWebHostBuilder builder, Action<SharedMemoryTransportOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.ConfigureServices(services =>
        {
            services.AddOptions<SharedMemoryTransportOptions>()
                .Configure<IConfiguration>(static (_, configuration) =>
                    SharedMemorySection.Check(configuration.GetSection(SharedMemorySection.Name)))
                .BindConfiguration(SharedMemorySection.Name)
                .Configure<IConfiguration>(static (options, configuration) =>
                    SharedMemorySection.SetModes(options, configuration.GetSection(SharedMemorySection.Name)));
            if (configure is not null)
            {
                services.Configure(configure);
            }

            services.TryAddEnumerable(
                ServiceDescriptor
                    .Singleton<IValidateOptions<SharedMemoryTransportOptions>, SharedMemoryOptionsValidation>());
            services.TryAddSingleton<KestrelInternals>();

            // Kestrel adds its own only if there is none yet.
            services.TryAddSingleton<IConnectionListenerFactory, SocketTransportFactory>();
            services.TryAddEnumerable(
                ServiceDescriptor.Singleton<IConnectionListenerFactory, SharedMemoryTransportFactory>());
            if (!services.Any(static s => s.ServiceType == typeof(DirectApplication)))
            {
                services.AddSingleton<DirectApplication>();
                services.AddSingleton<RequestListeners>();
                services.AddSingleton<HostDiagnostics>();
                StandBefore(services);
            }

            services.TryAddEnumerable(
                ServiceDescriptor.Singleton<IPostConfigureOptions<KestrelServerOptions>, SharedMemoryKestrelSetup>());
            services.TryAddEnumerable(
                ServiceDescriptor.Singleton<IStartupFilter, HostingAddressesStartupFilter>());
        });
    }

    /// <summary>
    /// Listens on a shared-memory endpoint. Needs <see cref="UseSharedMemory"/>: without it the server does not start.
    /// </summary>
    /// <param name="options">Kestrel's options.</param>
    /// <param name="nameOrPath">The endpoint: <c>name</c>, <c>shm:name</c> or <c>shm:///absolute/path.sock</c>.</param>
    /// <param name="configure">
    /// Changes the endpoint: TLS, connection middleware, protocols. By default it has HTTP/2 alone, which gRPC needs.
    /// With HTTP/1.1 as well, or with middleware that reads, each byte is copied once more.
    /// </param>
    /// <exception cref="ArgumentException"><paramref name="nameOrPath"/> is none of these.</exception>
    public static void ListenSharedMemory(
        this KestrelServerOptions options, string nameOrPath, Action<ListenOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(options);

        // Kestrel shows the endpoint in the message of a failure, too, where nobody has bound it yet.
        options.Listen(new SharedMemoryEndPoint(nameOrPath).InAddress(), listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            configure?.Invoke(listen);
            DirectEndPoints.Note(listen);
            var isHttp2 = listen.Protocols == HttpProtocols.Http2;

            // The innermost middleware: the protocol reads from the transport that the connection has here. It is made
            // when the server starts. Not before then is it sure that all services are there.
            listen.Use(next =>
            {
                var application = FindApplication(listen);
                if (!isHttp2)
                {
                    return next;
                }

                application.ServeWhatKestrelServes(next);
                return connection =>
                {
                    var feature = connection.Features.Get<ISharedMemoryConnectionFeature>();
                    return feature is SharedMemoryConnectionContext context
                        ? context.RunProtocolAsync(next, connection)
                        : next(connection);
                };
            });
        });
    }

    // The services of a host are fixed when Kestrel's options are made, so they cannot be registered from here.
    private static DirectApplication FindApplication(ListenOptions listen) =>
        listen.ApplicationServices?.GetService<DirectApplication>()
        ?? throw new InvalidOperationException(
            $"The server cannot listen on '{Plain(listen.EndPoint)}', since its host has no shared-memory transport. "
            + "Add the line 'builder.WebHost.UseSharedMemory();' before the application is built.");

    private static EndPoint? Plain(EndPoint? endPoint) => (endPoint as SharedMemoryEndPoint)?.Plain ?? endPoint;

    /// <summary>
    /// Puts a server in front of Kestrel, which sees the application that is passed to Kestrel. Other servers are left
    /// as they are, since the code that has registered them may ask for them by their type. If Kestrel is registered
    /// later, the application is found on its endpoints.
    /// </summary>
    private static void StandBefore(IServiceCollection services)
    {
        var server = services.LastOrDefault(static s => s.ServiceType == typeof(IServer) && !s.IsKeyedService);
        if (server is { ImplementationType: { } type }
            && type.Assembly == typeof(KestrelServer).Assembly)
        {
            services.Remove(server);
            services.AddSingleton<IServer>(provider => new DirectServer(
                (IServer)ActivatorUtilities.CreateInstance(provider, type),
                provider.GetRequiredService<DirectApplication>()));
        }
    }
}
