using System.Diagnostics.CodeAnalysis;
using Grpc.AspNetCore.Server;
using Grpc.Core;

namespace GrpcShm.AspNetCore.Native;

/// <summary>Makes the object of a service for a call, from the services of the call's scope. Any thread.</summary>
internal sealed class ServiceActivator<
    [DynamicallyAccessedMembers(ServiceMembers.All)] TService>(
    IGrpcServiceActivator<TService> activator, ServiceSettings settings)
    where TService : class
{
    /// <summary>Makes the object; none if interceptors alone serve the calls.</summary>
    public GrpcActivatorHandle<TService> Create(ServerCallContext context) =>
        settings.IsServiceSuppressed ? default : activator.Create(CallServices.Of(context));

    /// <summary>Gives the object back, if there is one.</summary>
    public ValueTask ReleaseAsync(GrpcActivatorHandle<TService> service) =>
        service.Instance is null ? default : activator.ReleaseAsync(service);
}
