using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.ClientFactory;
using GrpcShm.Client.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Logging;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Client.Native;

/// <summary>Lets clients of the gRPC client factory frame their calls by themselves.</summary>
/// <remarks>
/// The factory makes channel and invoker by itself and lets nobody replace them. But the innermost interceptor of a
/// channel may make a call instead of passing it on. It sees what call options, credentials and all other interceptors
/// have made of the call.
/// </remarks>
internal static class FactoryClients
{
    /// <summary>
    /// Adds the interceptor. It has to be the innermost one, so this is done when the options are complete.
    /// </summary>
    /// <param name="client">The options of the client.</param>
    /// <param name="name">The name of the client.</param>
    public static void Add(GrpcClientFactoryOptions client, string name)
    {
        client.ChannelOptionsActions.Add(static options =>
        {
            if (options.ServiceProvider?.GetService<FactoryChannelOptions>() is { } known)
            {
                known.Options = options;
            }
        });
        InterceptorRegistration? own = null;
        own = new InterceptorRegistration(
            InterceptorScope.Channel,
            services => TryCreate(client, name, own!, services.GetRequiredService<FactoryChannelOptions>().Options)
                ?? (Interceptor)new NoInterceptor());
        client.InterceptorRegistrations.Add(own);
    }

    /// <returns>Nothing if something of the user's lies between interceptor and connections.</returns>
    private static NativeInterceptor? TryCreate(
        GrpcClientFactoryOptions client, string name, InterceptorRegistration own, GrpcChannelOptions? options)
    {
        if (options is null
            || client.Address is not { } address
            || address.Scheme != Uri.UriSchemeHttp
            || client.InterceptorRegistrations.Last(static r => r.Scope == InterceptorScope.Channel) != own
            || FindHandler(options.HttpHandler, out var hasLoggers) is not { } handler)
        {
            return null;
        }

        var fallback = new Lazy<GrpcChannel>(() => GrpcChannel.ForAddress(address, options));
        var requests = hasLoggers && options.LoggerFactory is { } loggers ? CreateRequestLoggers(loggers, name) : [];
        return new NativeInterceptor(new NativeChannel(
            handler.Connections, () => fallback.Value.CreateCallInvoker(), address, options, requests));
    }

    /// <summary>
    /// Finds the handler of the connections beneath those that the HTTP client factory adds by itself.
    /// </summary>
    /// <returns>Nothing if there is any other handler, which has to see each request.</returns>
    private static DirectHandler? FindHandler(HttpMessageHandler? handler, out bool hasLoggers)
    {
        hasLoggers = false;
        while (handler is DelegatingHandler { InnerHandler: var inner } outer)
        {
            var type = outer.GetType();
            var isLogger = type == typeof(LoggingScopeHttpMessageHandler) || type == typeof(LoggingHttpMessageHandler);
            if (!isLogger
                && (type.Assembly != typeof(LoggingHttpMessageHandler).Assembly
                    || type.Name != "LifetimeTrackingHttpMessageHandler"))
            {
                return null;
            }

            hasLoggers |= isLogger;
            handler = inner;
        }

        return handler as DirectHandler;
    }

    // The categories of the HTTP client factory.
    private static ILogger[] CreateRequestLoggers(ILoggerFactory loggers, string name)
    {
        var client = string.IsNullOrEmpty(name) ? "Default" : name;
        return
        [
            loggers.CreateLogger($"System.Net.Http.HttpClient.{client}.LogicalHandler"),
            loggers.CreateLogger($"System.Net.Http.HttpClient.{client}.ClientHandler"),
        ];
    }

    /// <summary>Passes each call on.</summary>
    private sealed class NoInterceptor : Interceptor;
}
