using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder.Extensions;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Native.Proof;

/// <summary>
/// What ASP.NET Core's middleware does to a gRPC call in direct mode. Each rule is proved by the source of ASP.NET Core
/// 10, for calls that are POST requests to an endpoint whose metadata <see cref="EndpointProof"/> has accepted. A
/// middleware of Microsoft's without a rule acts. That holds for most of them: they log, redirect, compress, rewrite,
/// or set what the handler sees.
/// </summary>
internal static class MiddlewareRules
{
    private const string Microsofts = "Microsoft.AspNetCore.";
    private const string DeveloperExceptionPage = $"{Microsofts}Diagnostics.DeveloperExceptionPageMiddlewareImpl";
    private const string ExceptionHandler = $"{Microsofts}Diagnostics.ExceptionHandlerMiddlewareImpl";

    private static readonly Dictionary<string, Func<object, IServiceProvider, MiddlewareVerdict>> Rules = new()
    {
        // They choose the endpoint and run it. RouteProof and EndpointProof have looked at what they do with it.
        [$"{Microsofts}Routing.EndpointRoutingMiddleware"] = static (_, _) => MiddlewareVerdict.Indifferent,
        [$"{Microsofts}Routing.EndpointMiddleware"] = static (_, _) => MiddlewareVerdict.Indifferent,

        // They act on an exception alone. That of a handler becomes the status of the call. What gRPC itself throws,
        // since a trailer may not be sent, is thrown to them: see PipelineProof.ForFailures.
        [DeveloperExceptionPage] = static (_, _) => MiddlewareVerdict.Indifferent,
        [ExceptionHandler] = static (_, _) => MiddlewareVerdict.Indifferent,

        // They answer GET and HEAD alone.
        [$"{Microsofts}StaticFiles.StaticFileMiddleware"] = static (_, _) => MiddlewareVerdict.Indifferent,
        [$"{Microsofts}StaticFiles.DefaultFilesMiddleware"] = static (_, _) => MiddlewareVerdict.Indifferent,
        [$"{Microsofts}StaticFiles.DirectoryBrowserMiddleware"] = static (_, _) => MiddlewareVerdict.Indifferent,

        // It validates where the metadata of an endpoint asks for it. It tells the endpoint that it was there.
        [$"{Microsofts}Antiforgery.Internal.AntiforgeryMiddleware"] = static (_, _) =>
            new(MiddlewareEffect.Indifferent, Mark: "__AntiforgeryMiddlewareWithEndpointInvoked"),

        [$"{Microsofts}HostFiltering.HostFilteringMiddleware"] = OfHostFiltering,
        [$"{Microsofts}Authentication.AuthenticationMiddleware"] = OfAuthentication,
        [$"{Microsofts}Authorization.AuthorizationMiddleware"] = OfAuthorization,
        [$"{Microsofts}Authorization.AuthorizationMiddlewareInternal"] = OfAuthorization,
        [$"{Microsofts}Cors.Infrastructure.CorsMiddleware"] = OfCors,
        [$"{Microsofts}Http.Timeouts.RequestTimeoutsMiddleware"] = OfTimeouts,
        [$"{Microsofts}RateLimiting.RateLimitingMiddleware"] = OfRateLimiting,
        [$"{Microsofts}OutputCaching.OutputCacheMiddleware"] = OfOutputCaching,
        [$"{Microsofts}Builder.Extensions.MapMiddleware"] = OfMap,
    };

    /// <summary>True of a middleware that acts on exceptions, and on nothing else.</summary>
    public static bool ActsOnFailures(PipelineLink link) =>
        link.IsMicrosofts && link.Type.FullName is DeveloperExceptionPage or ExceptionHandler;

    /// <summary>Judges a middleware as it is set up now.</summary>
    public static MiddlewareVerdict Judge(PipelineLink link, IServiceProvider services)
    {
        if (link.IsMicrosofts)
        {
            return link is { Middleware: { } middleware, Type.FullName: { } name }
                && Rules.TryGetValue(name, out var rule)
                    ? rule(middleware, services)
                    : MiddlewareVerdict.Acts;
        }

        // A class of the application's own that inherits from Microsoft's middleware may do the same as that.
        for (var type = link.Type.BaseType; type is not null && type != typeof(object); type = type.BaseType)
        {
            if (PipelineLink.IsOfMicrosoft(type))
            {
                return MiddlewareVerdict.ActsBy($"inherits from {type.Name}");
            }
        }

        return MiddlewareVerdict.Unknown;
    }

    /// <summary>It lets all calls pass if all hosts are allowed, and no host at all, too.</summary>
    private static MiddlewareVerdict OfHostFiltering(object middleware, IServiceProvider services) =>
        MiddlewareVerdict.IndifferentIf(
            ObjectFields.TryGet(middleware, "_middlewareConfigurationManager", out var manager)
            && ObjectFields.TryGet(manager, "_middlewareConfiguration", out var configuration)
            && ObjectFields.TryGet(configuration, "<AllowAnyNonEmptyHost>k__BackingField", out var allowsAny)
            && ObjectFields.TryGet(configuration, "<AllowEmptyHosts>k__BackingField", out var allowsEmpty)
            && (allowsAny, allowsEmpty) is (true, true),
            "it allows some hosts");

    /// <summary>Without a default scheme it sets no user; without schemes that answer it answers none.</summary>
    private static MiddlewareVerdict OfAuthentication(object middleware, IServiceProvider services)
    {
        var schemes = (middleware as AuthenticationMiddleware)?.Schemes;
        return MiddlewareVerdict.IndifferentForNowIf(
            schemes?.GetType() == typeof(AuthenticationSchemeProvider)
            && schemes.GetDefaultAuthenticateSchemeAsync() is { IsCompletedSuccessfully: true, Result: null }
            && schemes.GetRequestHandlerSchemesAsync() is { IsCompletedSuccessfully: true } handlers
            && !handlers.Result.Any(),
            "a default scheme may be added",
            "it has a default scheme");
    }

    /// <summary>
    /// An endpoint without authorization data is subject to the fallback policy alone. The application may set one at
    /// any time, and that of the options is then in force at once.
    /// </summary>
    private static MiddlewareVerdict OfAuthorization(object middleware, IServiceProvider services) =>
        ObjectFields.TryGetOnly<IAuthorizationPolicyProvider>(middleware, out var provider)
        && provider?.GetType() == typeof(DefaultAuthorizationPolicyProvider)
        && ObjectFields.TryGetOnly<AuthorizationOptions>(provider, out var options)
        && options is not null
            ? MiddlewareVerdict.IndifferentWhile(
                () => options.FallbackPolicy is null,
                "it has a fallback policy",
                "__AuthorizationMiddlewareWithEndpointInvoked")
            : MiddlewareVerdict.ActsBy("its policies are not known");

    /// <summary>An endpoint without CORS metadata is subject to the policy of UseCors, or the default one.</summary>
    private static MiddlewareVerdict OfCors(object middleware, IServiceProvider services)
    {
        const string Otherwise = "it has a policy for all endpoints";
        if (!ObjectFields.TryGetOnly<CorsPolicy>(middleware, out var policy) || policy is not null
            || !ObjectFields.TryGetOnly<string>(middleware, out var name) || name is not null)
        {
            return MiddlewareVerdict.ActsBy(Otherwise);
        }

        // Each request asks its own services for the provider.
        using var scope = services.CreateScope();
        return MiddlewareVerdict.IndifferentForNowIf(
            scope.ServiceProvider.GetService<ICorsPolicyProvider>()?.GetType() == typeof(DefaultCorsPolicyProvider)
            && services.GetRequiredService<IOptions<CorsOptions>>().Value is var options
            && options.GetPolicy(options.DefaultPolicyName) is null,
            "a default policy may be added",
            Otherwise);
    }

    /// <summary>An endpoint without a time-out of its own is subject to the default policy.</summary>
    private static MiddlewareVerdict OfTimeouts(object middleware, IServiceProvider services)
    {
        const string Otherwise = "it has a default policy";
        return TryGetMonitor<RequestTimeoutOptions>(middleware, services) is { } monitor
            ? MiddlewareVerdict.IndifferentWhile(
                () => monitor.CurrentValue.DefaultPolicy?.Timeout is null, Otherwise)
            : MiddlewareVerdict.ActsBy(Otherwise);
    }

    /// <summary>An endpoint without a limiter of its own is subject to the global one.</summary>
    private static MiddlewareVerdict OfRateLimiting(object middleware, IServiceProvider services) =>
        MiddlewareVerdict.IndifferentIf(
            ObjectFields.TryGet(middleware, "_globalLimiter", out var limiter) && limiter is null,
            "it has a global limiter");

    /// <summary>An endpoint without a policy of its own is subject to the base policies.</summary>
    private static MiddlewareVerdict OfOutputCaching(object middleware, IServiceProvider services) =>
        MiddlewareVerdict.IndifferentForNowIf(
            ObjectFields.TryGetOnly<OutputCacheOptions>(middleware, out var options)
            && ObjectFields.TryGet(options, "<BasePolicies>k__BackingField", out var policies)
            && policies is null,
            "a base policy may be added",
            "it has a base policy");

    /// <summary>It takes the calls below one path.</summary>
    private static MiddlewareVerdict OfMap(object middleware, IServiceProvider services) =>
        ObjectFields.TryGetOnly<MapOptions>(middleware, out var options) && options is { PathMatch: var path }
            ? new(MiddlewareEffect.Acts, $"it takes the calls below '{path}'", path)
            : MiddlewareVerdict.Acts;

    /// <summary>
    /// Finds the options that a middleware looks at for each request. If it does not have the monitor of the services,
    /// its changes would not be noticed, so its options are not known.
    /// </summary>
    private static IOptionsMonitor<TOptions>? TryGetMonitor<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions>(
        object holder, IServiceProvider services)
        where TOptions : class =>
        ObjectFields.TryGetOnly<IOptionsMonitor<TOptions>>(holder, out var monitor)
        && monitor is not null
        && ReferenceEquals(monitor, services.GetService<IOptionsMonitor<TOptions>>())
            ? monitor
            : null;
}
