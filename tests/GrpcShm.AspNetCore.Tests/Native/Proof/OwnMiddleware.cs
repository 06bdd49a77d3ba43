using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>A middleware of the application's own.</summary>
internal sealed class OwnMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context) => next(context);
}

/// <summary>The same, and each request gives it a service.</summary>
internal sealed class OwnMiddlewareWithService(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context, IServiceProvider services) => next(context);
}

/// <summary>The same, and each request makes one.</summary>
internal sealed class OwnMiddlewareOfARequest : IMiddleware
{
    public Task InvokeAsync(HttpContext context, RequestDelegate next) => next(context);
}

/// <summary>The same, and two ways lead on from it.</summary>
internal sealed class OwnForkingMiddleware(RequestDelegate next)
{
    private readonly RequestDelegate _other = context => next(context);

    public Task InvokeAsync(HttpContext context) => context.Request.Path.HasValue ? next(context) : _other(context);
}

/// <summary>Authorizes in its own way.</summary>
internal sealed class OwnAuthorization(
    RequestDelegate next, IAuthorizationPolicyProvider policies) : AuthorizationMiddleware(next, policies);
