using Grpc.AspNetCore.Server;
using Grpc.Core.Interceptors;

namespace GrpcShm.AspNetCore.Native;

/// <summary>An interceptor in use by one call.</summary>
internal readonly struct InterceptorUse(IGrpcInterceptorActivator activator, GrpcActivatorHandle<Interceptor> handle)
{
    public Interceptor Interceptor => handle.Instance;

    /// <summary>Gives the interceptor back.</summary>
    public ValueTask ReleaseAsync() => activator.ReleaseAsync(handle);
}
