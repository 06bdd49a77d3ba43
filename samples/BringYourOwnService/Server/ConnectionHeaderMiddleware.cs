using GrpcShm.AspNetCore;
using Microsoft.AspNetCore.Http;

namespace Samples.BringYourOwnService.Server;

/// <summary>
/// A middleware like any other: it says in the response's headers by what connection the request has come.
/// </summary>
internal sealed class ConnectionHeaderMiddleware(RequestDelegate next)
{
    public const string HeaderName = "came-by";

    public Task InvokeAsync(HttpContext context)
    {
        var connection = context.Features.Get<ISharedMemoryConnectionFeature>();
        context.Response.Headers[HeaderName] = connection?.EndPoint.ToString() ?? "another transport";
        return next(context);
    }
}
