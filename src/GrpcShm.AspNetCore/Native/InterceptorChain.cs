using System.Diagnostics.CodeAnalysis;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.AspNetCore.Native;

/// <summary>
/// Puts the interceptors of a service around its methods. Each is made anew for each call, by the activator of its
/// type, as in grpc-dotnet. Any thread.
/// </summary>
internal sealed class InterceptorChain
{
    private readonly (InterceptorRegistration Registration, IGrpcInterceptorActivator Activator)[] _links;

    [UnconditionalSuppressMessage(
        "AOT", "IL3050", Justification = "Native methods are not made where no code can be made at run time.")]
    public InterceptorChain(IReadOnlyList<InterceptorRegistration> registrations, IServiceProvider services)
    {
        _links = [.. registrations.Select(registration => (
            registration,
            (IGrpcInterceptorActivator)services.GetRequiredService(
                typeof(IGrpcInterceptorActivator<>).MakeGenericType(registration.Type))))];
    }

    /// <summary>True if there are no interceptors.</summary>
    public bool IsEmpty => _links.Length == 0;

    public UnaryServerMethod<TRequest, TResponse> Around<TRequest, TResponse>(
        UnaryServerMethod<TRequest, TResponse> method)
        where TRequest : class
        where TResponse : class
    {
        for (var i = _links.Length - 1; i >= 0; i--)
        {
            var (link, next) = (i, method);
            method = async (request, context) =>
            {
                var use = Begin(link, context);
                try
                {
                    return await use.Interceptor.UnaryServerHandler(request, context, next).ConfigureAwait(false);
                }
                finally
                {
                    await use.ReleaseAsync().ConfigureAwait(false);
                }
            };
        }

        return method;
    }

    public ClientStreamingServerMethod<TRequest, TResponse> Around<TRequest, TResponse>(
        ClientStreamingServerMethod<TRequest, TResponse> method)
        where TRequest : class
        where TResponse : class
    {
        for (var i = _links.Length - 1; i >= 0; i--)
        {
            var (link, next) = (i, method);
            method = async (requests, context) =>
            {
                var use = Begin(link, context);
                try
                {
                    return await use.Interceptor.ClientStreamingServerHandler(requests, context, next)
                        .ConfigureAwait(false);
                }
                finally
                {
                    await use.ReleaseAsync().ConfigureAwait(false);
                }
            };
        }

        return method;
    }

    public ServerStreamingServerMethod<TRequest, TResponse> Around<TRequest, TResponse>(
        ServerStreamingServerMethod<TRequest, TResponse> method)
        where TRequest : class
        where TResponse : class
    {
        for (var i = _links.Length - 1; i >= 0; i--)
        {
            var (link, next) = (i, method);
            method = async (request, responses, context) =>
            {
                var use = Begin(link, context);
                try
                {
                    await use.Interceptor.ServerStreamingServerHandler(request, responses, context, next)
                        .ConfigureAwait(false);
                }
                finally
                {
                    await use.ReleaseAsync().ConfigureAwait(false);
                }
            };
        }

        return method;
    }

    public DuplexStreamingServerMethod<TRequest, TResponse> Around<TRequest, TResponse>(
        DuplexStreamingServerMethod<TRequest, TResponse> method)
        where TRequest : class
        where TResponse : class
    {
        for (var i = _links.Length - 1; i >= 0; i--)
        {
            var (link, next) = (i, method);
            method = async (requests, responses, context) =>
            {
                var use = Begin(link, context);
                try
                {
                    await use.Interceptor.DuplexStreamingServerHandler(requests, responses, context, next)
                        .ConfigureAwait(false);
                }
                finally
                {
                    await use.ReleaseAsync().ConfigureAwait(false);
                }
            };
        }

        return method;
    }

    private InterceptorUse Begin(int link, ServerCallContext context)
    {
        var (registration, activator) = _links[link];
        var handle = activator.Create(CallServices.Of(context), registration);
        return handle.Instance is null
            ? throw new InvalidOperationException(
                $"Could not construct Interceptor instance for type {registration.Type.FullName}")
            : new InterceptorUse(activator, handle);
    }
}
