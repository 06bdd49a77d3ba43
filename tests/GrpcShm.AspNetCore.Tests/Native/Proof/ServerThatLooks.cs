using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>A server that looks at its application and passes it on.</summary>
internal sealed class ServerThatLooks(IServer inner, Action<object> look) : IServer
{
    public IFeatureCollection Features => inner.Features;

    /// <summary>Puts one before the server of the host.</summary>
    public static void PutBefore(IServiceCollection services, Action<object, IServiceProvider> look)
    {
        var inner = services.Last(static service => service.ServiceType == typeof(IServer)).ImplementationFactory!;
        services.AddSingleton<IServer>(provider => new ServerThatLooks(
            (IServer)inner(provider), application => look(application, provider)));
    }

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        look(application);
        return inner.StartAsync(application, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => inner.StopAsync(cancellationToken);

    public void Dispose() => inner.Dispose();
}
