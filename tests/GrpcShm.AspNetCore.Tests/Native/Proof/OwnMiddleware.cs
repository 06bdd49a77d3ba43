using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>A middleware of the application's own.</summary>
internal sealed class OwnMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context) => next(context);
}
