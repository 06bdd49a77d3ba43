using System.Diagnostics.CodeAnalysis;
using Grpc.AspNetCore.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Native;

/// <summary>What all methods of a service need of the host.</summary>
internal sealed class ServiceBinding<[DynamicallyAccessedMembers(ServiceMembers.All)] TService> : IServiceBinding
    where TService : class
{
    public ServiceBinding(IServiceProvider services)
    {
        Settings = new ServiceSettings(
            services.GetRequiredService<IOptions<GrpcServiceOptions>>().Value,
            services.GetRequiredService<IOptions<GrpcServiceOptions<TService>>>().Value);
        Surroundings = new ServiceSurroundings(services);
        var activator = services.GetRequiredService<IGrpcServiceActivator<TService>>();
        GrpcActivator = activator;
        Activator = new ServiceActivator<TService>(activator, Settings);
        Interceptors = new InterceptorChain(Settings.Interceptors, services);
    }

    public ServiceSettings Settings { get; }

    public object GrpcActivator { get; }

    public ServiceSurroundings Surroundings { get; }

    public ServiceActivator<TService> Activator { get; }

    public InterceptorChain Interceptors { get; }
}
