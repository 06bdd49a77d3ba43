using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.StaticFiles;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>A check of the application's own, in the shape of a method of a middleware of Microsoft's.</summary>
internal static class Guarding
{
    public static Task Guard(this StaticFileMiddleware middleware, HttpContext context) =>
        context.Request.Headers.ContainsKey("guarded")
            ? middleware.Invoke(context)
            : throw new BadHttpRequestException("This call is not guarded.");
}
